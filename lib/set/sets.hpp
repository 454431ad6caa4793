// The backup sets of a directory: which are there, whether they are what their manifests say, and
// which of them is "latest", for every command and for retention.
#pragma once

#include "set/manifest.hpp"
#include "set/names.hpp"
#include "sign/minisign.hpp"

#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace rb::set {

enum class SetState {
  complete,   ///< The manifest says so, and all its files are there with their sizes.
  incomplete, ///< The manifest says so, or there is none (a run that was cut off).
  damaged,    ///< A manifest that cannot be read, or a file of it missing or of another size.
};

/// "complete", "incomplete", "damaged".
[[nodiscard]] std::string_view to_string(SetState state);

struct SetFile {
  std::string name;
  std::uint64_t size_bytes = 0;
};

struct ManifestDigests {
  std::string sha256;            ///< Hex: what the next manifest names.
  sign::Blake2bDigest blake2b{}; ///< What a signature is of.
};

struct BackupSet {
  std::string run_id;
  unsigned generation = 0; ///< The highest one that has a manifest (set/names.hpp).
  SystemTime time{};       ///< Of the run id.
  SetState state = SetState::incomplete;
  std::vector<std::string> problems; ///< Why it is not complete, for people.
  std::optional<Manifest> manifest;  ///< Absent when there is none or it cannot be read.
  std::vector<SetFile> files;   ///< Those of its generation that are there, artifacts and manifest.
  std::uint64_t size_bytes = 0; ///< Of all `files`.
  /// Of the manifest's file, where it could be read, also one that cannot be parsed.
  std::optional<ManifestDigests> manifest_digests;
  /// The text of the signature beside the manifest; absent where there is none. Not looked into:
  /// that is for judge_catalogue.
  std::optional<std::string> signature;

  /// Run id and generation: changes when the set is given new recipients.
  [[nodiscard]] std::string version() const { return Version{run_id, generation}.text(); }
};

/// Complete, and proven where that was asked for.
[[nodiscard]] bool is_good(const BackupSet& set);

/// Not damaged, and a server that was booted from it did not come up or served something else.
[[nodiscard]] bool is_disproven(const BackupSet& set);

/// All sets, newest first. Looks at names and sizes and reads the manifests; digests are for
/// check_set. One bad set never hides another. A set that is being given new recipients is whole
/// at every moment, and is seen so, without a lock. Errors: those of Fs::list.
[[nodiscard]] Result<std::vector<BackupSet>> list_sets(Directory& directory);

/// The run ids of which an artifact lies there of a generation before the one that counts: a rewrap
/// could not remove it, and whoever opened it before still does. Errors: those of Fs::list.
[[nodiscard]] Result<std::set<std::string>> runs_with_older_files(Directory& directory);

/// The set has another generation by now, or none, and its files of then may be gone: a look at it
/// that found something missing is to be repeated from list_sets on.
[[nodiscard]] bool is_superseded(Directory& directory, const BackupSet& set);

/// The bytes that a next run should find free: those of the newest complete set and a quarter,
/// and at least 64 MiB.
[[nodiscard]] std::uint64_t expected_run_bytes(const std::vector<BackupSet>& sets);

/// A whole cluster can be made from it: it has the datastore, and the host state with the server
/// token, without which nobody opens the datastore. What else is missing stops no restore.
[[nodiscard]] bool can_restore_cluster(const Manifest& manifest);
/// The same, and none of its files is missing or of another size.
[[nodiscard]] bool can_restore_cluster(const BackupSet& set);

struct PassedOver {
  const BackupSet* set = nullptr;
  std::string why; ///< "it has no copy of the datastore", "its proof failed: the scratch server: …"
};

struct Latest {
  const BackupSet* set = nullptr; ///< One of those given; null: no cluster can be restored.
  std::vector<PassedOver>
      passed_over; ///< Those that are newer, newest first; all where `set` is null.
};

/// What "latest" is, of `newest_first`; null: none. With `wanted`, only of those that have it.
[[nodiscard]] const BackupSet* latest_of(std::span<const BackupSet* const> newest_first,
                                         std::optional<api::ArtifactType> wanted = std::nullopt);

/// The newest set from which a cluster can be restored and from which no server failed to boot;
/// where all of them failed, the newest of them. With `wanted`, only of the sets that have that
/// artifact. `sets` newest first, as of list_sets. Signatures are judged apart from it: a set that
/// nobody vouches for is refused, not passed over, so that planting one can't choose another.
[[nodiscard]] Latest choose_latest(const std::vector<BackupSet>& sets,
                                   std::optional<api::ArtifactType> wanted = std::nullopt);

} // namespace rb::set
