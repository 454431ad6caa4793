// The backup directory as a command works on it: its sets, who made them, and which one is meant.
#pragma once

#include "restore/options.hpp"
#include "restore/trust.hpp"
#include "set/latest.hpp"

namespace rb::restore {

struct Backups {
  set::Directory directory;
  std::vector<set::BackupSet> sets; ///< The newest first.
  Catalogue catalogue;
};

/// The backup directory, for reading. Errors: not_found with a hint at --backup-dir,
/// permission_denied, io.
[[nodiscard]] Result<set::Directory> open_directory(const std::string& path);

/// Lists the sets of `directory` and judges whose they are. Errors: those of list_sets() and of
/// catalogue_of().
[[nodiscard]] Result<Backups> read_backups(set::Directory directory,
                                           const Options& options,
                                           const std::vector<Pin>& pins,
                                           const Io& io);

/// Both, for the directory of the options.
[[nodiscard]] Result<Backups>
open_backups(const Options& options, const std::vector<Pin>& pins, const Io& io);

/// The set named `name`: a run id, or "latest" as choose_latest has it. Where there is no latest:
/// the newest that has `wanted`, else the newest, so that a command can say what is wrong with it.
/// Null: there is none.
[[nodiscard]] set::Latest find_set(const std::vector<set::BackupSet>& sets,
                                   const std::string& name,
                                   std::optional<api::ArtifactType> wanted = std::nullopt);

/// The same for those who look for damage: of the sets that "latest" passes over the newest damaged
/// one comes first.
[[nodiscard]] set::Latest find_set_to_check(const std::vector<set::BackupSet>& sets,
                                            const std::string& name);

/// find_set(), and where there is none an error: not_found. What it points to is in `backups`.
[[nodiscard]] Result<set::Latest>
choose_set(const Backups& backups,
           const std::string& name,
           std::optional<api::ArtifactType> wanted = std::nullopt);

/// No set at all, or not the one that was named.
[[nodiscard]] Error nothing_to_restore(const std::string& path, const std::string& name);

/// "passing over RUN: why", for each.
void say_passed_over(const set::Latest& latest, const Io& io);

/// For what the functions above failed with: what is not there is nothing to restore, and a
/// --public-key that is no key is a wrong use.
[[nodiscard]] ExitCode exit_code_of_opening(const Error& error);
/// Says it; returns that exit code.
int fail_to_open(const Io& io, const Error& error);

} // namespace rb::restore
