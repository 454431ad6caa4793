// A set that is opened for a restore: what is known of it, and where its contents come from.
#pragma once

#include "recover/execute.hpp"
#include "recover/facts.hpp"
#include "recover/settings_reader.hpp"
#include "unpack/opened_set.hpp"
#include "unpack/set_check.hpp"

#include <memory>
#include <optional>
#include <span>
#include <stop_token>

namespace rb::recover {

struct OpenedSet {
  SetFacts facts;
  std::optional<unpack::HostState> host_state;
  std::optional<ReadSettings> host_settings; ///< Of the host state.
};

/// Checks the whole set with the keys (each artifact is decrypted once, nothing is written). What
/// is wrong with it is in the facts, not an error. Errors: cancelled.
[[nodiscard]] Result<OpenedSet> open_set(artifact::Directory& directory,
                                         const artifact::BackupSet& set,
                                         std::span<const age::Identity> identities,
                                         const std::stop_token& stop);

/// Only what the guide needs: the host state, where a key opens it. Nothing is checked.
[[nodiscard]] OpenedSet open_host_settings(artifact::Directory& directory,
                                           const artifact::BackupSet& set,
                                           std::span<const age::Identity> identities,
                                           const std::stop_token& stop);

/// Rewrites the host state, and what is known of its settings.
void apply_replacements(OpenedSet& opened, std::span<const Replacement> replacements);

/// The set as the executor reads it, its configuration rewritten; directory, manifest, identities
/// and keys outlive it. `trusted`: whose signature the image of the kit must have.
[[nodiscard]] std::unique_ptr<SetSource> make_set_source(artifact::Directory& directory,
                                                         const artifact::Manifest& manifest,
                                                         std::span<const age::Identity> identities,
                                                         std::span<const sign::PublicKey> trusted,
                                                         std::vector<Replacement> replacements);

} // namespace rb::recover
