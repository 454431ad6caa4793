// railiance-restore but for what only a process can do (main.cpp). Each command prints its result,
// or its failure, and returns the exit code (lib/base/error.hpp).
#pragma once

#include "restore/options.hpp"
#include "set/sets.hpp"

#include <span>
#include <string>

namespace rb::restore {

/// The whole program: `args` without its name. Throws nothing.
[[nodiscard]] int run(std::span<const std::string> args, Io& io);

int list(const ListCommand& command, const Options& options, Io& io);
int fetch(const FetchCommand& command, const Options& options, Io& io);
int show(const ShowCommand& command, const Options& options, Io& io);
int verify(const VerifyCommand& command, const Options& options, Io& io);
int decrypt(const DecryptCommand& command, Io& io);
int metrics(const MetricsCommand& command, const Options& options, Io& io);
int drill(const DrillCommand& command, const Options& options, Io& io);
int rewrap(const RewrapCommand& command, const Options& options, Io& io);
/// `restore` of the cluster: the guide, or what --execute and its like ask for.
int restore_cluster(const RestoreCommand& command, const Options& options, Io& io);
int rejoin_cluster(const RejoinCommand& command, const Options& options, Io& io);
/// `restore --artifact`.
int unpack_artifact(const RestoreCommand& command, const Options& options, Io& io);

} // namespace rb::restore
