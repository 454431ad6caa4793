// The commands. Each prints its result, or its failure, and returns the exit code.
#pragma once

#include "restore/options.hpp"
#include "set/latest.hpp"

namespace rb::restore {

int list(const ListCommand& command, const Options& options, Io& io);
int fetch(const FetchCommand& command, const Options& options, Io& io);
int show(const ShowCommand& command, const Options& options, Io& io);
int verify(const VerifyCommand& command, const Options& options, Io& io);
int decrypt(const DecryptCommand& command, Io& io);
int metrics(const MetricsCommand& command, const Options& options, Io& io);
int drill(const DrillCommand& command, const Options& options, Io& io);
/// `restore` of the cluster: the guide, or what --execute and its like ask for.
int restore_cluster(const RestoreCommand& command, const Options& options, Io& io);
/// `restore --artifact`.
int unpack_artifact(const RestoreCommand& command, const Options& options, Io& io);

/// The backup directory, for reading. Errors: not_found with a hint at --backup-dir,
/// permission_denied, io.
[[nodiscard]] Result<set::Directory> open_backups(const std::string& path);

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

/// "passing over RUN: why", for each.
void say_passed_over(const set::Latest& latest, const Io& io);

/// No set at all, or not the one that was named.
[[nodiscard]] Error nothing_to_restore(const std::string& path, const std::string& name);

} // namespace rb::restore
