// A set that is opened for a restore: what is known of it, and where its contents come from.
#pragma once

#include "k3s/host_settings.hpp"
#include "restore/cluster/execute.hpp"
#include "restore/cluster/facts.hpp"
#include "set/host_state.hpp"
#include "set/opened_set.hpp"
#include "set/set_check.hpp"

#include <optional>
#include <span>
#include <stop_token>
#include <utility>
#include <vector>

namespace rb::cluster {

struct OpenedSet {
  SetFacts facts;
  std::optional<set::HostState> host_state;
  std::optional<k3s::HostSettings> host_settings; ///< Of the host state.
};

/// Checks the whole set with the keys (each artifact is decrypted once, nothing is written). What
/// is wrong with it is in the facts, not an error. Errors: cancelled.
[[nodiscard]] Result<OpenedSet> open_set(set::Directory& directory,
                                         const set::BackupSet& set,
                                         std::span<const age::Identity> identities,
                                         const set::CheckHooks& hooks);

/// Only what the guide needs: the host state, where a key opens it. Nothing is checked.
[[nodiscard]] OpenedSet open_host_settings(set::Directory& directory,
                                           const set::BackupSet& set,
                                           std::span<const age::Identity> identities,
                                           const std::stop_token& stop);

/// Rewrites the host state, and what is known of its settings.
void apply_replacements(OpenedSet& opened, std::span<const Replacement> replacements);

/// The set as the executor reads it, its configuration rewritten; directory, manifest and
/// identities outlive it. `trusted`: whose signature the image of the kit must have. `hooks` stop
/// the decryption of the snapshot, and are told of its bytes.
class DirectorySetSource final : public SetSource {
public:
  DirectorySetSource(set::Directory& directory,
                     const set::Manifest& manifest,
                     std::span<const age::Identity> identities,
                     std::vector<sign::PublicKey> trusted,
                     std::vector<Replacement> replacements,
                     set::CheckHooks hooks = {})
      : m_directory(directory), m_manifest(manifest), m_identities(identities),
        m_trusted(std::move(trusted)), m_replacements(std::move(replacements)),
        m_hooks(std::move(hooks)) {}

  [[nodiscard]] Status decrypt_snapshot(const std::string& path) override;
  [[nodiscard]] Result<set::HostState> host_state() override;
  [[nodiscard]] Result<bool> put_image(const std::string& path) override;

private:
  set::Directory& m_directory;
  const set::Manifest& m_manifest;
  std::span<const age::Identity> m_identities;
  std::vector<sign::PublicKey> m_trusted;
  const std::vector<Replacement> m_replacements;
  const set::CheckHooks m_hooks;
};

} // namespace rb::cluster
