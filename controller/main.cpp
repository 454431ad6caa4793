// railiance-backup-controller: wires the parts together and ends in order on SIGTERM and SIGINT.
#include "controller/backup_status.hpp"
#include "controller/executor.hpp"
#include "controller/helm_step.hpp"
#include "controller/metrics.hpp"
#include "controller/notifier.hpp"
#include "notify/delivery.hpp"
#include "status/serve/metrics_text.hpp"
#include "status/serve/server.hpp"
#include "terminal/log.hpp"

#include "base/error.hpp"
#include "base/no_core.hpp"
#include "base/version.hpp"
#include "kube/connection.hpp"
#include "kube/lease.hpp"
#include "kube/transport.hpp"

#include <CLI/CLI.hpp>

#include <malloc.h>
#include <pthread.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <map>
#include <thread>

namespace rb::controller {

namespace {

/// The command line.
struct Options {
  std::string name_space = "railiance-backup";
  std::string sops_yaml = "/etc/railiance-backup/.sops.yaml";
  std::string identity; ///< Default: the host name, which is the pod's name.
  std::string metrics_listen = "[::]:8080";
  std::string log_level = "info";
  log::Format log_format = log::Format::automatic;
  std::int32_t keep_last = 7;
  std::chrono::seconds agent_wait{60};
  bool offsite = false;
  Expectation expectation;
  notify::Settings notify;
  std::string kubeconfig; ///< Empty: in-cluster.
};

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

/// Or nullopt with `exit_code` set: help or version was printed, or what was wrong.
std::optional<Options> parse_options(int argc, const char* const* argv, int& exit_code) {
  Options options;
  std::int64_t agent_wait = options.agent_wait.count();
  const std::map<std::string, log::Format> formats{
      {"auto", log::Format::automatic}, {"json", log::Format::json}, {"text", log::Format::text}};
  CLI::App app{"Carries out ClusterBackups: collects and encrypts the Helm values, orders the "
               "backup from the agent of a server node, and sums up the result."};
  app.set_version_flag("--version", version_line("railiance-backup-controller"));
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
  app.add_flag("--offsite", options.offsite, "Sets are copied off-site: it is told when none is");
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
  notify::add_options(app, options.notify);
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

constexpr const char* k_lease = "railiance-backup-controller";
// One object: 1.5 MiB in etcd, six times that where all of it must be escaped. Lists of Secrets
// come in pages that are smaller (helm_releases.hpp).
constexpr std::size_t k_body_limit_bytes = std::size_t{24} << 20U;

/// Two arenas instead of one a thread: what is freed is used again.
void keep_memory_small() {
  ::mallopt(M_ARENA_MAX, 2);
  ::mallopt(M_TRIM_THRESHOLD, 1 << 20);
}

/// Blocked before any thread starts, so that only wait_for_end() sees them.
sigset_t block_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGTERM);
  ::sigaddset(&signals, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
  return signals;
}

void wait_for_end(const sigset_t& signals) {
  int signal = 0;
  ::sigwait(&signals, &signal);
  spdlog::info("signal {}: ending", signal);
}

Result<kube::ClientConfig> client_config(const Options& options) {
  return options.kubeconfig.empty() ? kube::in_cluster_config()
                                    : kube::load_kubeconfig(options.kubeconfig);
}

Result<std::unique_ptr<kube::Connection>> connect(const Options& options,
                                                  kube::Runtime runtime,
                                                  unsigned attempts,
                                                  std::chrono::seconds timeout) {
  RB_TRY_ASSIGN(kube::ClientConfig config, client_config(options));
  kube::ClientOptions client;
  client.attempts = attempts;
  client.request_timeout = timeout;
  client.body_limit_bytes = k_body_limit_bytes;
  client.user_agent = std::string("railiance-backup-controller/") + RB_VERSION;
  return kube::Connection::make(std::move(config), std::move(runtime), client);
}

std::vector<Receiver> receivers(const notify::Settings& settings) {
  std::vector<Receiver> receivers;
  if (settings.dead_man) {
    receivers.push_back({"DeadMan",
                         // A server without a set makes no backup that succeeded fail.
                         {.starts = notify::knows_starts(settings.dead_man_format),
                          .successes = true,
                          .recoveries = false,
                          .copies = false,
                          .problems = notify::knows_problems(settings.dead_man_format)},
                         notify::make_dead_man(settings)});
  }
  if (settings.webhook) {
    receivers.push_back(
        {"Webhook",
         {.starts = false, .successes = settings.successes, .recoveries = true, .copies = true},
         notify::make_webhook(settings)});
  }
  return receivers;
}

NoticeView notice_view(const Store& store, const Options& options, SystemTime now) {
  NoticeView view = store.notice_view();
  view.current = settled_current(store.backup_status(), options.expectation, now);
  view.expected_interval = expected_interval(options.expectation, now);
  view.cluster = options.notify.cluster_name;
  return view;
}

kube::LeaderCallbacks
callbacks(Reconciler& reconciler, BackupStatusReporter& backup_status, Notifier& notifier) {
  kube::LeaderCallbacks callbacks;
  callbacks.on_started = [&] {
    backup_status.start(); // first: that we have started is told before a run can end us
    reconciler.start();
    notifier.start();
  };
  callbacks.on_stopped = [&] {
    reconciler.stop();
    backup_status.stop();
    notifier.stop();
  };
  callbacks.on_new_leader = [](const std::string& holder) {
    spdlog::info("leader: {}", holder.empty() ? "nobody" : holder);
  };
  callbacks.on_trouble = [](const Error& error) { log::warn("leader election", error); };
  return callbacks;
}

/// What Kubernetes takes and we cannot read must not keep backups from being made.
void warn_of_schedule(const Expectation& expectation) {
  if (!expectation.schedule.empty() &&
      expected_interval(expectation, RealClock().now()).count() == 0) {
    spdlog::warn(
        "the schedule '{}' does not say how often a backup is expected: BackupCurrent will "
        "be Unknown; set monitoring.expectedIntervalSeconds of the chart",
        expectation.schedule);
  }
}

Settings settings_of(const Options& options, const Clock& clock) {
  Settings settings;
  settings.agent_wait = options.agent_wait;
  settings.keep_last = options.keep_last;
  if (options.offsite) {
    settings.offsite_since = clock.now();
  }
  return settings;
}

/// All that is named outlives the server.
status::Endpoints endpoints_of(const Store& store,
                               const StoreFeed& feed,
                               Metrics& metrics,
                               const Options& options,
                               const Clock& clock) {
  status::Endpoints endpoints;
  endpoints.metrics = std::make_shared<status::Collector>(
      [&store, &options, &clock] {
        return backup_status_families(store.backup_status(), options.expectation, clock.now());
      },
      metrics.registry());
  endpoints.not_ready_because = [&feed] {
    return feed.synced() ? "" : "the API objects are not yet listed";
  };
  return endpoints;
}

Status serve_until_signal(const Options& options, const sigset_t& signals) {
  const RealClock clock;
  Metrics metrics;
  kube::Runtime runtime; // one for both: what the Lease tells of a restore holds for the watches
  runtime.metrics = &metrics;
  RB_TRY_ASSIGN(auto connection, connect(options, runtime, 4, std::chrono::seconds(30)));
  RB_TRY_ASSIGN(auto lease_connection, connect(options, runtime, 1, std::chrono::seconds(5)));
  kube::Client& client = connection->client();
  Store store(clock, settings_of(options, clock));
  const StoreFeed feed(store, client, options.name_space);
  kube::EventRecorder events(client, {"backup.railiance.io/controller", options.identity});
  PayloadStore payloads(client, options.name_space);
  ApiHelmStep helm(client, clock, payloads, options.sops_yaml, inventory_budget(memory_limit()));
  Reconciler reconciler({client,
                         helm,
                         payloads,
                         store,
                         metrics,
                         clock,
                         [&](const kube::EventSpec& event) { events.record(event); }},
                        options.sops_yaml,
                        [&] { return feed.current(); });
  BackupStatusReporter backup_status(
      client, store, clock, options.expectation, [&] { return feed.backup_status_synced(); });
  Notifier notifier({client,
                     clock,
                     [&] { return notice_view(store, options, clock.now()); },
                     [&] { return feed.backup_status_synced(); },
                     [&](const kube::EventSpec& event) { events.record(event); },
                     [&](const std::string& receiver) { metrics.notify_failed(receiver); }},
                    receivers(options.notify));
  RB_TRY_ASSIGN(const auto server,
                status::Server::start(options.metrics_listen,
                                      endpoints_of(store, feed, metrics, options, clock)));
  kube::LeaderElector elector(lease_connection->client(),
                              options.name_space,
                              k_lease,
                              options.identity,
                              callbacks(reconciler, backup_status, notifier));
  const std::jthread election([&](const std::stop_token& stop) { elector.run(stop); });
  spdlog::info("version {} started; API server {}", RB_VERSION, connection->server());
  warn_of_schedule(options.expectation);
  wait_for_end(signals);
  return {};
}

} // namespace

} // namespace rb::controller

int main(int argc, char** argv) {
  using namespace rb;
  leave_no_core();
  int exit_code = 0;
  const auto options = controller::parse_options(argc, argv, exit_code);
  if (!options) {
    return exit_code;
  }
  controller::keep_memory_small();
  const sigset_t signals = controller::block_signals();
  kube::initialize_http_threads(4);
  log::setup("railiance-backup-controller", options->log_format, options->log_level);
  const Status status = controller::serve_until_signal(*options, signals);
  if (!status) {
    log::error("cannot run", status.error());
    return static_cast<int>(exit_code_for(status.error().code));
  }
  return 0;
}
