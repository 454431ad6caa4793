// A host in a directory, with a k3s, a service manager and a set that a test can make fail.
#pragma once

#include "restore/cluster/execute.hpp"
#include "support/scratch.hpp"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace rb::test {

/// Thrown by a test's progress, in the place of a power cut.
struct Crash {};

class FakeHost final : public ProcessRunner,
                       public k3s::ServiceManager,
                       public k3s::ServerProcesses,
                       public cluster::SetSource,
                       public cluster::ClusterApi,
                       public cluster::Progress,
                       public Waiter {
public:
  explicit FakeHost(bool bare = false, api::DatastoreKind datastore = api::DatastoreKind::etcd);

  // ProcessRunner: k3s.
  [[nodiscard]] Result<ProcessResult> run(const ProcessSpec& spec, std::stop_token stop) override;
  // ServiceManager
  [[nodiscard]] std::string name() const override { return "fake"; }
  [[nodiscard]] Status stop() override;
  [[nodiscard]] Status start() override;
  [[nodiscard]] k3s::ServiceState state() override;
  [[nodiscard]] std::string last_words() override { return k3s_says; }
  // ServerProcesses
  [[nodiscard]] Result<std::vector<k3s::ServerProcess>> find(const std::string&) override;
  // SetSource
  [[nodiscard]] Status decrypt_snapshot(const std::string& path) override;
  [[nodiscard]] Result<set::HostState> host_state() override;
  [[nodiscard]] Result<bool> put_image(const std::string& path) override;
  // ClusterApi
  [[nodiscard]] Result<objects::Contents> contents(const std::string& snapshot_path) override;
  [[nodiscard]] Result<std::unique_ptr<objects::ApiPort>>
  connect(const k3s::Kubectl& kubectl, const std::string& directory) override;
  // Progress
  void on_step(cluster::Step step) override;
  void on_line(const std::string& line) override { lines += line + "\n"; }
  // Waiter
  bool wait(std::chrono::milliseconds time, const std::stop_token& /*stop*/) override {
    m_clock.now_ms += time;
    return true;
  }

  void start_on_sqlite();
  void lay_out();         ///< What a server has; again where a disk was mounted over it.
  void sync_data() const; ///< Of the whole data directory, to the medium.
  void lose_processes() { m_running = false; }

  cluster::JournalState fresh_journal();
  cluster::Outcome execute(); ///< From a new journal.
  /// execute(), and the power goes just before that step. False: it never came to it.
  [[nodiscard]] bool cut_off_before(cluster::Step at);
  cluster::Outcome resume();    ///< From the journal on the disk.
  cluster::Outcome roll_back(); ///< From the journal on the disk.

  /// What the running server serves: the content of its database.
  [[nodiscard]] std::string data() const {
    return scratch.read(datastore == api::DatastoreKind::etcd ? "data/server/db/etcd/member"
                                                              : "data/server/db/state.db");
  }
  [[nodiscard]] std::string data_dir() const { return scratch.path("data"); }
  [[nodiscard]] bool running() const { return m_running; }
  [[nodiscard]] std::chrono::milliseconds now() const { return m_clock.now_ms; }

  Scratch scratch;
  bool bare;
  api::DatastoreKind datastore; ///< Of the host and of the set.
  std::string started;          ///< Of the journal.
  std::string lines;
  std::vector<std::string> calls;

  /// What k3s writes is on the medium once it has said that it is done.
  bool durable = false;

  /// It is a rejoin that is carried out.
  std::optional<cluster::Joining> joining;
  /// What `k3s kubectl` says in the place of the answer to /readyz.
  std::function<std::optional<ProcessResult>(const ProcessSpec&)> answers;

  // What goes wrong.
  std::function<void()> before_reset;
  std::function<void()> before_start;
  std::function<void()> after_stop;
  std::function<void(cluster::Step)> before_step;
  bool reset_fails_early = false; ///< Before it moves the old database.
  int taken_seconds = 0;          ///< That often the name for the old database is there already.
  bool reset_fails_late = false;  ///< After it.
  bool never_ready = false;       ///< With restored data.
  bool decrypt_fails = false;
  bool process_left = false;
  std::chrono::milliseconds orphan_until{
      0};                           ///< A reset whose restore was killed goes on till then.
  std::string image = "of the kit"; ///< Empty: it holds none.
  std::vector<std::pair<std::string, std::string>> more_files; ///< Of the host state.
  bool image_fails = false;
  std::vector<std::string> credentials; ///< Of the plan.
  bool ends_at_start = false;           ///< With restored data.
  bool ends_again = false;              ///< The same, and it is started again each time.
  std::string k3s_says;                 ///< The last word in its log.
  std::uint64_t configmaps = 3;   ///< In the restored cluster; the backup has 3, and a payload.
  bool api_fails = false;         ///< Once it is ready: when the objects are asked for.
  std::stop_source stopped;       ///< Told to stop, as by Ctrl-C.
  bool with_node = false;         ///< The server is a node, too: containers run from data/agent.
  bool start_crashes = false;     ///< The power goes when k3s is started.
  int resets = 0;                 ///< That k3s was asked for.
  std::string token_seen;         ///< K3S_TOKEN of the reset.
  std::string token_at_reset;     ///< server/token when it began.
  bool left_by_the_reset = false; ///< Its kubeconfig was there at the last start.

private:
  struct SteppingClock final : Clock {
    std::chrono::milliseconds now_ms{0};
    [[nodiscard]] SystemTime now() const override {
      return SystemTime{std::chrono::seconds(1'800'000'000)};
    }
    [[nodiscard]] std::chrono::steady_clock::time_point steady_now() const override {
      return std::chrono::steady_clock::time_point(now_ms);
    }
  };

  ProcessResult reset(const ProcessSpec& spec);
  ProcessResult kubectl(); ///< Only /readyz is asked for.
  cluster::Ports ports();

  SteppingClock m_clock;
  bool m_running = false;
  int m_resets = 0;
  int m_looks = 0; ///< For its processes, while it ends again and again.
};

} // namespace rb::test
