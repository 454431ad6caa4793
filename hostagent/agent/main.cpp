// railiance-backup-agent: carries out the backup orders of one server node.
#include "agent/host/backup_disk.hpp"
#include "agent/host/host_key.hpp"
#include "agent/orders/agent.hpp"
#include "agent/orders/api_ports.hpp"
#include "agent/orders/facts_reporter.hpp"
#include "agent/orders/lookout.hpp"
#include "agent/orders/offsite_worker.hpp"
#include "agent/orders/options.hpp"
#include "agent/run/prover.hpp"
#include "offsite/rclone.hpp"
#include "restore/proof/namespace_helper.hpp"
#include "status/serve/metrics_text.hpp"
#include "status/serve/server.hpp"
#include "terminal/log.hpp"

#include "base/fd.hpp"
#include "base/no_core.hpp"
#include "base/process.hpp"
#include "kube/connection.hpp"
#include "kube/transport.hpp"

#include <csignal>
#include <iomanip>
#include <random>
#include <sstream>
#include <thread>

namespace {

using namespace rb;
using namespace rb::agent;

constexpr std::chrono::seconds k_report_grace{20};

Result<std::unique_ptr<kube::Connection>> connect(const Options& options) {
  kube::ClientOptions client;
  client.user_agent = "railiance-backup-agent/" RB_VERSION;
  RB_TRY_ASSIGN(auto config,
                options.kube_kubeconfig.empty() ? kube::in_cluster_config()
                                                : kube::load_kubeconfig(options.kube_kubeconfig));
  return kube::Connection::make(std::move(config), {}, client);
}

/// 128 random bits in hexadecimal: tells this process from an earlier one of the same pod.
std::string draw_instance_id() {
  std::random_device source;
  std::ostringstream text;
  for (int word = 0; word < 4; ++word) {
    text << std::hex << std::setw(8) << std::setfill('0') << source();
  }
  return text.str();
}

/// Ready when the directory can be used, or a run can say why not; it is made here where there is
/// none.
void check_directory(const Settings& settings, AgentMetrics& metrics) {
  const auto directory = open_backup_directory(settings, set::Directory::open);
  if (!directory) {
    log::error("backup directory", directory.error());
  }
  metrics.directory_usable(directory || takes_orders_despite(directory.error()));
}

status::Endpoints endpoints_of(const kube::Watcher& watcher, const AgentMetrics& metrics) {
  status::Endpoints endpoints;
  endpoints.not_ready_because = [&watcher, &metrics]() -> std::string {
    if (!watcher.synced()) {
      return "the orders have not been listed yet";
    }
    return metrics.directory_usable() ? "" : "the backup directory cannot be used";
  };
  endpoints.metrics = metrics.registry();
  return endpoints;
}

/// What this process did, and what is on the disk.
std::shared_ptr<prometheus::Collectable> all_metrics(const AgentMetrics& metrics, DiskWatch& disk) {
  return std::make_shared<status::Collector>(
      [&disk] {
        const auto facts = disk.facts();
        return status::families_of(facts ? std::vector{*facts} : std::vector<api::NodeFacts>{});
      },
      metrics.registry());
}

/// Ends the worker at SIGTERM or SIGINT; the last report gets a little longer. A SIGUSR1 of our
/// own ends the wait.
class SignalThread {
public:
  SignalThread(const sigset_t& signals, std::stop_source work, std::stop_source report)
      : m_thread([signals, work = std::move(work), report = std::move(report)]() mutable {
          int signal = 0;
          sigwait(&signals, &signal);
          work.request_stop();
          const timespec grace{k_report_grace.count(), 0};
          sigset_t ended;
          sigemptyset(&ended);
          sigaddset(&ended, SIGUSR1);
          if (signal != SIGUSR1) {
            sigtimedwait(&ended, nullptr, &grace);
          }
          report.request_stop();
        }) {}
  ~SignalThread() {
    pthread_kill(m_thread.native_handle(), SIGUSR1);
    m_thread.join();
  }
  SignalThread(const SignalThread&) = delete;
  SignalThread& operator=(const SignalThread&) = delete;
  SignalThread(SignalThread&&) = delete;
  SignalThread& operator=(SignalThread&&) = delete;

private:
  std::thread m_thread;
};

sigset_t block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1}) {
    sigaddset(&signals, signal);
  }
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
  return signals;
}

int fail(std::string_view what, const Error& error) {
  log::error(what, error);
  return static_cast<int>(exit_code_for(error.code));
}

/// What the orders of this node are carried out with.
struct Workplace {
  const Settings& settings;
  const notify::Settings& notify;
  kube::Client& client;
  DiskWatch& disk;
  OrderBoard& board;
  AgentMetrics& metrics;
};

/// Until the process is told to end.
void take_orders(const Workplace& at, std::stop_token stop, std::stop_token report_stop) {
  const Settings& settings = at.settings;
  spdlog::info("agent {} of node {} watches for orders", settings.agent_id, settings.node_name);
  const RealClock clock;
  RealProcessRunner any_program;
  TrustedRunner processes(any_program); // all that is run here is k3s
  // The sets of the other servers name this key, from the first one on. A run says what is wrong.
  static_cast<void>(host_key(settings.key_dir));
  ApiStatusSink sink(at.client);
  Lookout lookout(notify::make_webhook(at.notify), at.notify.cluster_name, at.client, clock);
  FactsReporter facts(
      at.disk,
      at.client,
      at.notify.webhook ? &lookout : nullptr,
      [&settings](const std::stop_token& asked) { return ask_member(settings, asked); });
  const std::unique_ptr<Prover> prover = make_boot_prover(settings);
  RealWaiter waiter;
  RunPorts run{processes, clock, waiter, pieces_in_config_maps(at.client, settings.name_space)};
  run.prover = prover.get();
  run.ask_image = image_of_pod(at.client, settings.name_space, settings.pod_name);
  Agent agent(settings, {at.board, sink, at.metrics, std::move(run), [&facts] { facts.poke(); }});
  agent.work(std::move(stop), std::move(report_stop));
  spdlog::info("agent ends");
}

int run(const Options& options, const sigset_t& signals) {
  auto connection = connect(options);
  if (!connection) {
    return fail("connection to the API", connection.error());
  }
  kube::Client& client = (*connection)->client();
  Settings settings = options.settings;
  settings.instance_id = draw_instance_id();
  const RealClock clock;
  AgentMetrics metrics(settings.node_name);
  DiskWatch disk(settings, clock);
  const bool only_offsite = !options.offsite.rclone.remote.empty();
  if (only_offsite) {
    metrics.directory_usable(true); // who reads the disk here may wait until there is one
  } else {
    check_directory(settings, metrics);
  }

  OrderBoard board(settings.node_name);
  kube::Watcher watcher(client, kube::k_node_backups, watch_of_orders(), board);
  status::Endpoints endpoints = endpoints_of(watcher, metrics);
  if (!only_offsite) {
    endpoints.metrics = all_metrics(metrics, disk);
  }
  auto server = status::Server::start(options.metrics_listen, std::move(endpoints));
  if (!server) {
    return fail("metrics", server.error());
  }
  std::stop_source work;
  std::stop_source report;
  const SignalThread signal_thread(signals, work, report);
  if (only_offsite) {
    ApiStatusSink sink(client);
    copy_offsite(options.offsite, board, sink, metrics, work.get_token());
  } else {
    take_orders({settings, options.notify, client, disk, board, metrics},
                work.get_token(),
                report.get_token());
  }
  return static_cast<int>(ExitCode::done);
}

} // namespace

int main(int argc, char** argv) {
  if (argc == 2 && argv[1] == proof::k_helper_command) {
    return proof::helper_main();
  }
  leave_no_core();
  const sigset_t signals = block_signals();
  const Parsed parsed = parse_options(argc, argv);
  if (parsed.exit_code) {
    return *parsed.exit_code;
  }
  const Options& options = parsed.options;
  log::setup("railiance-backup-agent", options.log_format, options.log_level);
  kube::initialize_http_threads();
  return run(options, signals);
}
