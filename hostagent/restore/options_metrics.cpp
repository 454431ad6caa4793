#include "restore/options_metrics.hpp"

#include <CLI/CLI.hpp>

namespace rb::restore {

namespace {

constexpr const char* k_footer = R"(Examples:
  railiance-restore metrics
  railiance-restore metrics --expected-interval-seconds 86400 \
    --textfile /var/lib/prometheus/node-exporter/railiance-backup.prom

The same metrics as the agent's, for hosts that Prometheus reaches only by way of
node_exporter (--collector.textfile.directory). The file is replaced in one step,
with mode 0644; there is no secret in it. Run it from a timer every few minutes:
deploy/host/railiance-metrics.timer. docs/monitoring.md lists the metrics.)";

} // namespace

void add_metrics(CLI::App& app, MetricsCommand& command) {
  CLI::App* metrics =
      app.add_subcommand("metrics", "Print what Prometheus should know of the sets");
  metrics->footer(k_footer);
  metrics->add_option("--textfile", command.text_file, "Write there instead of standard output");
  metrics->add_option("--node", command.node, "The label node (default: as in the newest set)");
  metrics
      ->add_option("--expected-interval-seconds",
                   command.expected_interval_seconds,
                   "How often a backup is expected; an alert compares with it")
      ->check(CLI::Range(1, 31536000));
}

} // namespace rb::restore
