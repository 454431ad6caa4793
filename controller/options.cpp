#include "controller/options.hpp"

#include "base/error.hpp"

#include <CLI/CLI.hpp>

#include <unistd.h>

#include <array>
#include <map>

namespace rb::controller {

namespace {

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

} // namespace

std::optional<Options> parse_options(int argc, const char* const* argv, int& exit_code) {
  Options options;
  std::int64_t agent_wait = options.agent_wait.count();
  const std::map<std::string, log::Format> formats{
      {"auto", log::Format::automatic}, {"json", log::Format::json}, {"text", log::Format::text}};
  CLI::App app{"Carries out ClusterBackups: collects and encrypts the Helm values, orders the "
               "backup from the agent of a server node, and sums up the result."};
  app.set_version_flag("--version", RB_VERSION);
  app.add_option("--namespace", options.name_space, "Namespace of the controller and the agents")
      ->capture_default_str();
  app.add_option("--sops-config", options.sops_yaml, "The .sops.yaml that names the recipients")
      ->capture_default_str();
  app.add_option(
      "--identity", options.identity, "Name in the leader election (default: host name)");
  app.add_option(
         "--metrics-listen", options.metrics_listen, "HOST:PORT of /livez, /readyz, /metrics")
      ->capture_default_str();
  app.add_option("--log-level", options.log_level, "trace, debug, info, warn or error")
      ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error"}))
      ->capture_default_str();
  app.add_option("--log-format", options.log_format, "auto, json or text")
      ->transform(CLI::CheckedTransformer(formats));
  app.add_option("--agent-wait-seconds", agent_wait, "How long a run waits for an agent")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  app.add_option("--keep-last",
                 options.keep_last,
                 "Complete sets of a kind that stay on the disk, where a request does not say it")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  std::int64_t interval = 0;
  app.add_option("--schedule",
                 options.expectation.schedule,
                 "The schedule of backups, as cron: what BackupCurrent is judged by");
  app.add_option("--schedule-time-zone", options.expectation.time_zone, "The zone of --schedule")
      ->capture_default_str();
  app.add_option("--expected-interval-seconds",
                 interval,
                 "How often a backup is expected, where the schedule does not say it")
      ->check(CLI::Range(1, 31536000));
  app.add_option("--kubeconfig", options.kubeconfig, "For use outside a cluster");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    exit_code = app.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::usage);
    return std::nullopt;
  }
  options.agent_wait = std::chrono::seconds{agent_wait};
  options.expectation.interval = std::chrono::seconds{interval};
  if (options.identity.empty()) {
    options.identity = host_name();
  }
  return options;
}

} // namespace rb::controller
