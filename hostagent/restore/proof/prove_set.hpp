// Proves a backup set by booting a server from it: token and settings from its host state, the
// snapshot decrypted into a scratch directory, and nothing of either left afterwards.
#pragma once

#include "restore/proof/boot.hpp"
#include "restore/proof/scratch_dir.hpp"
#include "set/host_state.hpp"

#include <functional>
#include <span>
#include <string>

namespace rb::proof {

struct ProveOrder {
  /// Absolute; where the scratch directory is made. Empty: beside k3s's data directory, or in
  /// /var/tmp where this host has none.
  std::string scratch_parent;
  std::string k3s; ///< Absolute; empty: the path of the backed-up host, or a usual one.
  std::chrono::seconds timeout{300}; ///< For the reset, and again for the API to get ready.
  ScratchPlaces places = {};
};

/// The settings of the server that was backed up, as far as its objects depend on them; the rest of
/// its arguments is in `left_out`. A file that they name is named where bring_files() puts it.
[[nodiscard]] ServerSettings settings_of(const set::HostState& state, const std::string& directory);

/// Writes the files that these settings name into `directory` (0600). Errors: those of the system.
[[nodiscard]] Status bring_files(const set::HostState& state, const std::string& directory);

/// The API server gets its keys: a KMS plugin that the encryption configuration names has its
/// socket here. Errors: unsupported (proof_unavailable).
[[nodiscard]] Status check_kms(const set::HostState& state);

/// "boot: without kube-apiserver-arg audit-policy-file, …"; empty: nothing was left out.
[[nodiscard]] std::string left_out_line(const ServerSettings& settings);

/// What a boot in `scratch` takes from the host state, which outlives it: token, settings, and the
/// files that these name, which are brought there. `progress` is told what is left out. Snapshot,
/// revision and objects are the caller's to fill in. Errors: those of check_kms() and
/// bring_files().
[[nodiscard]] Result<BootInput>
boot_input(const set::HostState& state,
           const ScratchDir& scratch,
           const std::string& k3s,
           std::chrono::seconds timeout,
           const std::function<void(const std::string& line)>& progress);

/// An executable k3s. Errors: not_found (hint at --k3s).
[[nodiscard]] Result<std::string> find_k3s(const std::string& ordered, const std::string& of_host);

/// The k3s `here` may start what the set holds; what is doubtful is told to `progress`. Errors:
/// unsupported (it does not, and which one does).
[[nodiscard]] Status check_release(const set::Manifest& manifest,
                                   const std::string& here,
                                   const std::function<void(const std::string& line)>& progress);

/// boot() with a real cage; `scratch` is `input.directory`, and is gone afterwards. Needs root.
/// Errors: those of boot() and of ScratchDir::remove.
[[nodiscard]] Result<BootReport>
boot_here(const BootInput& input,
          ScratchDir& scratch,
          const std::function<void(const std::string& line)>& progress,
          const std::stop_token& stop);

/// The whole way: boot_here() in a scratch directory that is gone afterwards. Needs root.
/// Errors: those of boot(), of opening the artifacts (no_matching_identity, corrupt) and of
/// ScratchDir; incomplete (the set has no snapshot or no host state); permission_denied (not root);
/// unsupported (this k3s is too old for the set).
[[nodiscard]] Result<BootReport>
prove_set(set::Directory& directory,
          const set::Manifest& manifest,
          std::span<const age::Identity> identities,
          const ProveOrder& order,
          const std::function<void(const std::string& line)>& progress,
          const std::stop_token& stop);

} // namespace rb::proof
