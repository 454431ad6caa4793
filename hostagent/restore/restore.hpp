// The parts of `restore` of a cluster that stand in files of their own: the guide and the report.
#pragma once

#include "restore/cluster/execute.hpp"
#include "restore/cluster/plan.hpp"
#include "restore/options.hpp"

#include <nlohmann/json.hpp>

namespace rb::restore {

/// Without --execute: the sets, and the commands for this host.
int guide(const RestoreCommand& command, const Options& options, Io& io);

/// "ok", "warning" or "refused" and the message, one line each; then the steps.
[[nodiscard]] std::string to_text(const cluster::Decision& decision);
[[nodiscard]] nlohmann::ordered_json to_json(const cluster::Decision& decision);

/// Prints the outcome, in the form that `options` name; returns its exit code.
int report(const cluster::Outcome& outcome,
           const cluster::Plan& plan,
           const Options& options,
           nlohmann::ordered_json json,
           Io& io);

} // namespace rb::restore
