#include "fake_host.hpp"

#include "restore/cluster/file_changes.hpp"
#include "set/opened_set.hpp"
#include "support/fake_api.hpp"

#include "base/fd.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>

namespace rb::test {

using namespace cluster;
namespace fs = std::filesystem;

namespace {

constexpr const char* k_kubeconfig = "root/etc/rancher/k3s/k3s.yaml";

} // namespace

FakeHost::FakeHost(bool is_bare, api::DatastoreKind kind) : bare(is_bare), datastore(kind) {
  scratch.make_directory("data");
  if (!bare) {
    lay_out();
  }
}

void FakeHost::sync_data() const {
  const Fd data = open_file(data_dir(), O_RDONLY | O_DIRECTORY).value();
  if (::syncfs(data.get()) != 0) {
    throw std::runtime_error("syncfs failed");
  }
}

void FakeHost::lay_out() {
  scratch.write(k_kubeconfig, "of before");
  if (datastore == api::DatastoreKind::etcd) {
    scratch.write("data/server/db/etcd/member", "old");
    scratch.write("data/server/db/etcd-old-100/member", "ancient");
  } else {
    scratch.write("data/server/db/state.db", "old");
    scratch.write("data/server/db/state.db-wal", "old log");
    scratch.write("data/server/db/state.db-shm", "old index");
  }
  scratch.write("data/server/token", "K10a::server:same\n");
  scratch.write("data/server/tls/ca.crt", "old ca");
  scratch.write("data/server/cred/passwd", "old passwd");
  m_running = true;
}

Ports FakeHost::ports() {
  return {*this,
          *this,
          *this,
          *this,
          *this,
          m_clock,
          *this,
          *this,
          scratch.path("root"),
          stopped.get_token()};
}

JournalState FakeHost::fresh_journal() {
  JournalState state;
  state.started = started;
  state.plan.run_id = "20261122T020000Z";
  state.plan.data_dir = data_dir();
  state.plan.k3s_program = "/usr/local/bin/k3s";
  state.plan.kubeconfig = "/etc/rancher/k3s/k3s.yaml";
  state.plan.bare = bare && !joining;
  state.plan.datastore = datastore;
  state.plan.was_active = !bare && !joining;
  state.plan.credentials = credentials;
  state.plan.joining = joining;
  if (joining) {
    for (const Step step : k_rejoin_steps) {
      if (step != Step::put_token || bare) {
        state.plan.steps.push_back(step);
      }
    }
    return state;
  }
  for (const Step step : k_steps) {
    if (step != Step::put_back || bare) {
      state.plan.steps.push_back(step);
    }
  }
  return state;
}

Outcome FakeHost::execute() {
  Ports all = ports();
  return cluster::execute(fresh_journal(), Journal(fresh_journal().plan.work_dir()), all, {});
}

bool FakeHost::cut_off_before(Step at) {
  before_step = [at](Step step) {
    if (step == at) {
      throw Crash();
    }
  };
  bool crashed = false;
  try {
    static_cast<void>(execute());
  } catch (const Crash&) {
    crashed = true;
  }
  before_step = nullptr;
  return crashed;
}

Outcome FakeHost::resume() {
  const Journal journal(fresh_journal().plan.work_dir());
  auto state = journal.load();
  if (!state || !*state) { // the crash came before the first entry
    return execute();
  }
  Ports all = ports();
  return (*state)->phase == Phase::rolling_back ? cluster::roll_back(**state, journal, all, {})
                                                : cluster::execute(**state, journal, all, {});
}

Outcome FakeHost::roll_back() {
  const Journal journal(fresh_journal().plan.work_dir());
  Ports all = ports();
  return cluster::roll_back(**journal.load(), journal, all, {});
}

Status FakeHost::stop() {
  calls.emplace_back("stop");
  m_running = false;
  if (after_stop) {
    after_stop();
  }
  return {};
}

Status FakeHost::start() {
  calls.emplace_back("start");
  if (start_crashes) {
    throw Crash();
  }
  if (before_start) {
    before_start();
  }
  if (datastore == api::DatastoreKind::sqlite) {
    start_on_sqlite();
  }
  m_running = !(ends_at_start && data() == "restored");
  left_by_the_reset = scratch.read(k_kubeconfig) == "of the reset";
  scratch.write("data/server/manifests/coredns.yaml", "of k3s");
  scratch.write("data/server/static/charts/traefik.tgz", "of k3s");
  scratch.write("root/etc/rancher/node/password", "of k3s");
  scratch.write("data/agent/client-ca.crt", "of the backup");
  if (with_node) {
    scratch.write("data/agent/containerd/state", "of a container");
  }
  if (!never_ready || data() != "restored") {
    scratch.write(k_kubeconfig, "of the start");
    scratch.write("data/server/token", "K10a::server:same\n");
  }
  if (durable) {
    sync_data();
  }
  return {};
}

/// As k3s does it: an empty database where there is none, and what is missing besides from it.
/// SQLite removes a log that it finds beside no database, or beside an empty one.
void FakeHost::start_on_sqlite() {
  const std::string db = data_dir() + "/server/db";
  if (!fs::exists(db + "/state.db")) {
    fs::remove(db + "/state.db-wal");
    scratch.write("data/server/db/state.db", "made by a start");
  }
  scratch.write("data/server/db/state.db-wal", scratch.read("data/server/db/state.db-wal") + "+");
  scratch.write("data/server/db/state.db-shm", "of the start");
  if (data() == "restored" && !fs::exists(data_dir() + "/server/tls/ca.crt")) {
    scratch.write("data/server/tls/ca.crt", "of the backup");
    scratch.write("data/server/cred/passwd", "of the backup");
  }
}

k3s::ServiceState FakeHost::state() {
  return m_running ? k3s::ServiceState::active : k3s::ServiceState::inactive;
}

Result<std::vector<k3s::ServerProcess>> FakeHost::find(const std::string&) {
  const bool orphan = m_clock.now_ms < orphan_until;
  if (ends_again && m_running && data() == "restored") { // seen once, then gone for a while
    return ++m_looks % 3 == 1 ? std::vector<k3s::ServerProcess>{{5000 + m_looks, "k3s server"}}
                              : std::vector<k3s::ServerProcess>{};
  }
  return m_running || process_left || orphan ? std::vector<k3s::ServerProcess>{{4711, "k3s server"}}
                                             : std::vector<k3s::ServerProcess>{};
}

Status FakeHost::decrypt_snapshot(const std::string& path) {
  if (decrypt_fails) {
    return Error{ErrorCode::no_space, path + ": no space left on device", {}};
  }
  RB_TRY_ASSIGN(set::OutputFile file, set::OutputFile::create(path, true));
  RB_TRY(file.write(as_bytes("restored")));
  return file.commit();
}

Result<set::HostState> FakeHost::host_state() {
  set::HostState state;
  state.data_dir = "/var/lib/rancher/k3s";
  const auto add = [&](const char* path, const char* content) {
    state.files.push_back({path, SecretBytes(as_bytes(content)), 0600, {}});
  };
  add("var/lib/rancher/k3s/server/token", "K10a::server:same\n");
  add("var/lib/rancher/k3s/server/tls/ca.crt", "of the backup");
  add("var/lib/rancher/k3s/server/manifests/mine.yaml", "kind: ConfigMap");
  add("etc/rancher/k3s/config.yaml", "node-name: one");
  add("etc/systemd/system/k3s.service", "[Service]");
  add("etc/passwd", "never");
  for (const auto& [path, content] : more_files) {
    std::erase_if(state.files, [&](const archive::Entry& entry) { return entry.path == path; });
    add(path.c_str(), content.c_str());
  }
  return state;
}

Result<bool> FakeHost::put_image(const std::string& path) {
  if (image_fails) {
    RB_TRY(write_file(path, as_bytes("half"), 0600));
    return Error{ErrorCode::no_space, path + ": no space left on device", {}};
  }
  return image.empty() ? Result<bool>(false) : [&]() -> Result<bool> {
    RB_TRY(write_file(path, as_bytes(image), 0600));
    return true;
  }();
}

void FakeHost::on_step(Step step) {
  calls.emplace_back(word_of(step));
  if (before_step) {
    before_step(step);
  }
}

/// As k3s does it: moves the database aside, makes the new one, then reconciles.
ProcessResult FakeHost::reset(const ProcessSpec& spec) {
  ProcessResult result;
  result.exit_status = 1;
  const auto token = spec.environment.find("K3S_TOKEN");
  token_seen = token == spec.environment.end() ? "" : token->second;
  result.err = "level=fatal msg=\"it failed\"";
  if (m_running || reset_fails_early) {
    return result;
  }
  const std::string db = data_dir() + "/server/db";
  if (!fs::exists(db + "/etcd")) {
    scratch.write("data/server/db/etcd/name", "x"); // on an empty host it is made first
  }
  const std::string old = db + "/etcd-old-" + std::to_string(200 + m_resets);
  if (taken_seconds > 0) {
    --taken_seconds;
    result.err = "level=fatal msg=\"rename " + db + "/etcd " + old + ": file exists\"";
    return result;
  }
  ++m_resets;
  fs::rename(db + "/etcd", old);
  scratch.write("data/server/db/etcd/member", scratch.read("data/railiance-restore/snapshot"));
  scratch.write("data/server/db/reset-flag", "");
  if (reset_fails_late) {
    return result;
  }
  if (scratch.exists("data/server/tls")) {
    fs::copy(data_dir() + "/server/tls",
             data_dir() + "/server/tls-" + std::to_string(300 + m_resets),
             fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  }
  scratch.write("data/server/tls/ca.crt", "of the backup");
  scratch.write("data/server/cred/passwd", "of the backup");
  scratch.write("data/server/etc/egress-selector.yaml", "of k3s");
  token_at_reset = scratch.read("data/server/token");
  if (bare) { // of a CA made for the occasion
    scratch.write("data/server/token", "K10b::server:same\n");
  }
  scratch.write(k_kubeconfig, "of the reset");
  result.exit_status = 0;
  result.err = "level=info msg=\"… restart without --cluster-reset flag now. …\"";
  return result;
}

ProcessResult FakeHost::kubectl() {
  ProcessResult result;
  const bool trusts = scratch.read(k_kubeconfig) == "of the start";
  const bool never = (never_ready || ends_again) && data() == "restored";
  const bool ready = m_running && trusts && !never;
  result.exit_status = ready ? 0 : 1;
  result.out = ready ? "ok" : "";
  return result;
}

Result<objects::Contents> FakeHost::contents(const std::string& snapshot_path) {
  objects::Contents contents;
  contents.revision = exists(snapshot_path) ? 90 : 0;
  for (const char* const key : {"configmaps/shop/a",
                                "configmaps/shop/b",
                                "configmaps/shop/c",
                                "configmaps/railiance-backup/railiance-backup-payload-u-0",
                                "secrets/kube-system/n.node-password.k3s",
                                "events/shop/e"}) {
    contents.objects[key] = {10, {"u", {}, false, false}};
  }
  return contents;
}

Result<std::unique_ptr<objects::ApiPort>> FakeHost::connect(const k3s::Kubectl&,
                                                            const std::string&) {
  auto api = std::make_unique<FakeApi>();
  serve_discovery(*api, false);
  api->answers["/api/v1"] = {
      {200,
       R"({"resources":[{"name":"configmaps","verbs":["list"]},{"name":"secrets","verbs":["list"]}]})"}};
  std::vector<std::array<std::string, 4>> served;
  for (std::uint64_t i = 0; i < configmaps; ++i) {
    served.push_back({"shop", std::string(1, static_cast<char>('a' + i)), "u", "10"});
  }
  if (!api_fails) {
    api->on("/api/v1/configmaps?limit=500", metadata_list(served));
    api->on("/api/v1/secrets?limit=500", metadata_list({}));
  } else {
    api->answers["/api/v1"] = {{503, ""}};
  }
  return std::unique_ptr<objects::ApiPort>(std::move(api));
}

Result<ProcessResult> FakeHost::run(const ProcessSpec& spec, std::stop_token) {
  if (spec.arguments.front() != "server") {
    auto answer = answers ? answers(spec) : std::nullopt;
    return answer ? std::move(*answer) : kubectl();
  }
  if (before_reset) {
    before_reset();
  }
  ++resets;
  ProcessResult result = reset(spec);
  if (durable) {
    sync_data();
  }
  return result;
}

} // namespace rb::test
