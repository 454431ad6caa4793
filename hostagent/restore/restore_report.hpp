// Checks, plan and outcome of a restore, for people and for programs.
#pragma once

#include "restore/cluster/execute.hpp"
#include "restore/cluster/plan.hpp"
#include "restore/options.hpp"

#include <nlohmann/json.hpp>

namespace rb::restore {

/// "ok", "warning" or "refused" and the message, one line each; then the steps.
[[nodiscard]] std::string to_text(const cluster::Decision& decision);
[[nodiscard]] nlohmann::ordered_json to_json(const cluster::Decision& decision);

/// Prints the outcome, in the form that `options` name; returns its exit code.
int report(const cluster::Outcome& outcome,
           const cluster::Plan& plan,
           const Options& options,
           nlohmann::ordered_json json,
           Io& io);

/// One plain line a step on standard error.
class LineProgress final : public cluster::Progress {
public:
  explicit LineProgress(const Io& io) : m_io(io) {}
  void on_step(cluster::Step step) override;
  void on_line(const std::string& line) override;

private:
  const Io& m_io;
};

} // namespace rb::restore
