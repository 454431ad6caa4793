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

int carry_out(const ListCommand& command, const Options& options, Io& io);
int carry_out(const FetchCommand& command, const Options& options, Io& io);
int carry_out(const ShowCommand& command, const Options& options, Io& io);
int carry_out(const VerifyCommand& command, const Options& options, Io& io);
int carry_out(const DecryptCommand& command, const Options& options, Io& io);
int carry_out(const MetricsCommand& command, const Options& options, Io& io);
int carry_out(const DrillCommand& command, const Options& options, Io& io);
int carry_out(const RewrapCommand& command, const Options& options, Io& io);
/// Of the cluster: the guide, or what --execute and its like ask for; or of one artifact.
int carry_out(const RestoreCommand& command, const Options& options, Io& io);
int carry_out(const RejoinCommand& command, const Options& options, Io& io);
int carry_out(const PrintCommand& command, const Options& options, Io& io);
/// `restore --artifact`.
int unpack_artifact(const RestoreCommand& command, const Options& options, Io& io);

} // namespace rb::restore
