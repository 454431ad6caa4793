// railiance-backup-controller: wires the parts together and ends in order on SIGTERM and SIGINT.
#include "controller/memory_limit.hpp"
#include "controller/options.hpp"
#include "controller/reconciler.hpp"
#include "controller/standing_reporter.hpp"
#include "status/collector.hpp"
#include "status/serve/server.hpp"

#include "base/error.hpp"
#include "kube/connection.hpp"
#include "kube/leader_elector.hpp"
#include "kube/transport_cpprest.hpp"

#include <malloc.h>
#include <pthread.h>

#include <csignal>
#include <thread>

namespace rb::controller {

namespace {

constexpr const char* k_lease = "railiance-backup-controller";
// One object: 1.5 MiB in etcd, six times that where all of it must be escaped. Lists of Secrets
// come in pages that are smaller (helm_pages.hpp).
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
  return kube::Connection::make(std::move(config), runtime, client);
}

kube::LeaderCallbacks callbacks(Reconciler& reconciler, StandingReporter& standing) {
  kube::LeaderCallbacks callbacks;
  callbacks.on_started = [&] {
    standing.start(); // first: that we have started is told before a run can end us
    reconciler.start();
  };
  callbacks.on_stopped = [&] {
    reconciler.stop();
    standing.stop();
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

Status serve_until_signal(const Options& options, const sigset_t& signals) {
  const RealClock clock;
  Metrics metrics;
  kube::Runtime runtime; // one for both: what the Lease tells of a restore holds for the watches
  runtime.metrics = &metrics;
  RB_TRY_ASSIGN(auto connection, connect(options, runtime, 4, std::chrono::seconds(30)));
  RB_TRY_ASSIGN(auto lease_connection, connect(options, runtime, 1, std::chrono::seconds(5)));
  kube::Client& client = connection->client();
  Settings settings;
  settings.agent_wait = options.agent_wait;
  settings.keep_last = options.keep_last;
  Store store(clock, settings);
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
  StandingReporter standing(
      client, store, clock, options.expectation, [&] { return feed.standing_synced(); });
  status::Endpoints endpoints;
  endpoints.metrics = std::make_shared<status::Collector>(
      [&] { return standing_families(store.standing(), options.expectation, clock.now()); },
      metrics.registry());
  endpoints.not_ready_because = [&] {
    return feed.synced() ? "" : "the API objects are not yet listed";
  };
  RB_TRY_ASSIGN(const auto server,
                status::Server::start(options.metrics_listen, std::move(endpoints)));
  kube::LeaderElector elector(lease_connection->client(),
                              options.name_space,
                              k_lease,
                              options.identity,
                              callbacks(reconciler, standing));
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
