// The commands. Each prints its result, or its failure, and returns the exit code.
#pragma once

#include "restore/options.hpp"

#include "artifact/sets.hpp"

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
[[nodiscard]] Result<artifact::Directory> open_backups(const std::string& path);

/// The set named `name` (a run id, or "latest"), or null.
[[nodiscard]] const artifact::BackupSet* find_set(const std::vector<artifact::BackupSet>& sets,
                                                  const std::string& name);

/// No set at all, or not the one that was named.
[[nodiscard]] Error nothing_to_restore(const std::string& path, const std::string& name);

} // namespace rb::restore
