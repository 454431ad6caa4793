// A set, checked: with a key down to what is in its artifacts, without one by their digests.
#pragma once

#include "datastore/keys/copy.hpp"
#include "k3s/server_settings.hpp"
#include "set/sets.hpp"

#include "age/identity.hpp"
#include "base/error.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

namespace rb::set {

/// What only a look into a snapshot tells.
struct SnapshotFacts {
  std::uint64_t size_bytes = 0; ///< Of the plaintext.
  std::vector<std::string> bootstrap_hashes;
  std::vector<datastore::Member> members; ///< Of the etcd that it was taken of.
  std::string cluster_uid;                ///< Of the namespace kube-system; may be empty.
  k3s::NodeArguments node;                ///< Of the manifest's node; empty where it has none.
};

/// One artifact.
struct FileReport {
  api::ArtifactType type = api::ArtifactType::datastore;
  std::string name;
  /// done, damaged, no_identity or failed.
  ExitCode code = ExitCode::done;
  std::string message;                        ///< Empty when the file is good.
  std::vector<std::string> proven;            ///< "digest", "decrypted", "revision 4711", …
  std::optional<SnapshotFacts> snapshot = {}; ///< Of a snapshot that was opened and walked.
  /// What is unusual in the Helm values or the kubeconfig, in words. It is what the cluster had in
  /// it, so it is shown and changes no code: only what differs from the manifest or does not
  /// decrypt is damaged. At most k_odd_limit of odd_total.
  std::vector<std::string> odd = {};
  std::size_t odd_total = 0;

  void note_odd(std::string what);
};

inline constexpr std::size_t k_odd_limit = 50;

/// What a check tells of itself. The functions must not throw; empty ones are not called.
struct CheckHooks {
  std::stop_token stop = {};
  /// `step` is "<file>: decrypted" or the like, of which so many bytes are done. Called from any
  /// thread of the check, never at the same time as itself.
  std::function<void(const std::string& step, std::uint64_t done, std::uint64_t total)> on_bytes =
      {};
  /// A file is done.
  std::function<void(const FileReport& report)> on_file = {};
};

struct SetReport {
  std::string run_id;
  SetState state = SetState::incomplete;
  std::vector<std::string> problems; ///< Those of the set as it is listed.
  std::vector<FileReport> files;
  std::string signature;          ///< A word on who made it; empty: it was not asked.
  ExitCode code = ExitCode::done; ///< The worst of its files; incomplete or damaged by its state.
};

/// Without identities: size, digest, header of each artifact. With them: all of it decrypted once
/// for the digests, tags and the trailer of a snapshot, whose pages are then walked; archives are
/// read and what is in them is looked at. Nothing is written anywhere.
[[nodiscard]] SetReport check_set(Directory& directory,
                                  const BackupSet& set,
                                  std::span<const age::Identity> identities,
                                  const CheckHooks& hooks = {});

/// The one that an operator has to know of first: damaged, no_identity, failed, incomplete, done.
[[nodiscard]] ExitCode worse(ExitCode left, ExitCode right);

} // namespace rb::set
