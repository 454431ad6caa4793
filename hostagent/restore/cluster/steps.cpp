#include "restore/cluster/steps.hpp"

#include "k3s/auto_deploy.hpp"
#include "k3s/command.hpp"
#include "objects/served.hpp"
#include "restore/cluster/database.hpp"
#include "restore/cluster/file_changes.hpp"
#include "set/names.hpp"

#include "archive/entry_path.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>

namespace rb::cluster {

namespace {

/// Custom resources are served some moments after the server is ready.
constexpr auto k_definitions_patience = std::chrono::seconds(30);
constexpr std::chrono::milliseconds k_end_interval{250};
constexpr std::chrono::milliseconds k_end_told{10'000}; ///< What waits longer is said.
constexpr int k_down_tries = 3;
/// systemd starts a k3s that has ended again after five seconds, for ever. One that ends that often
/// before it is ready, and before the time is up, ends at once each time.
constexpr int k_most_ends = 5;
/// More than that is not below server/ of any k3s; what is new there is then only named.
constexpr std::size_t k_names_limit = 20'000;

constexpr std::array<const char*, 4> k_saved{"token", "agent-token", "tls", "cred"};

std::string server_dir(const Plan& plan) {
  return plan.data_dir + "/server";
}

std::string image_path(const Plan& plan) {
  return k3s::image_directory(plan.data_dir) + "/" + std::string(set::k_image_name);
}

/// One that is there already stays, also on the way back.
void note_image(JournalState& state) {
  const std::string path = image_path(state.plan);
  if (!exists(path)) {
    note_made(state, path);
    state.files.push_back({path, false});
  }
}

/// A file of before that k3s itself writes, or a rejoin.
Status save_other(JournalState& state, const std::string& path) {
  struct stat status {};
  const bool there = ::lstat(path.c_str(), &status) == 0;
  if (there && !S_ISREG(status.st_mode)) {
    return {}; // the operator's own link is followed, and stays
  }
  if (there) {
    RB_TRY(copy_tree(path, state.saved_path() + "/files" + path));
  }
  note_made(state, path);
  state.files.push_back({path, there});
  return {};
}

struct Advice {
  std::string_view words;
  std::string_view hint;
};

constexpr std::array<Advice, 6> k_advice{{
    {"cannot assign requested address",
     "a setting names an address that this host does not have: --set-address OLD=NEW"},
    {"no such network interface",
     "a setting names an interface that this host does not have: --set-interface OLD=NEW"},
    // What was rotated since the set was made.
    {"newer than datastore",
     "move the files that the log names aside (journalctl -u k3s), and repeat: k3s writes them "
     "from the restored datastore"},
    {"address already in use", "another program listens there: stop it"},
    {"not a member of the etcd cluster",
     "the reset gave etcd's member another address than the server has: write the one that it "
     "expects as `node-ip` into /etc/rancher/k3s/config.yaml, and repeat"},
    {"no such file or directory", "a file that the configuration names is not on this host"},
}};

} // namespace

std::string under_root(const std::string& path, const Plan& plan, const Ports& ports) {
  return (path.starts_with(plan.data_dir + "/") ? "" : ports.root) + path;
}

Status expect_no_server(const std::string& data_dir, Ports& ports, std::chrono::seconds patience) {
  std::vector<k3s::ServerProcess> left;
  for (auto waited = k_end_interval * 0; waited < patience; waited += k_end_interval) {
    RB_TRY_ASSIGN(left, ports.servers.find(data_dir));
    if (left.empty()) {
      return {};
    }
    if (waited == k_end_told) {
      ports.progress.on_line("waiting for a k3s server process to end: " +
                             std::to_string(left.front().pid));
    }
    if (waited >= k_end_told && ports.stop.stop_requested()) {
      return Error{ErrorCode::cancelled, "told to stop", {}};
    }
    ports.waiter.wait(k_end_interval, {});
  }
  return Error{ErrorCode::busy,
               "a k3s server process is left: " + std::to_string(left.front().pid) + " (" +
                   left.front().command + ")",
               "end it: two servers on one data directory destroy it"};
}

Error with_last_words(Error error, Ports& ports) {
  const std::string words = ports.service.last_words();
  if (words.empty()) {
    error.hint = "the log of k3s says why (journalctl -u k3s)";
    return error;
  }
  error.message += ": " + words;
  const auto* const found = std::ranges::find_if(k_advice, [&](const Advice& advice) {
    return words.find(advice.words) != std::string::npos;
  });
  error.hint = found == k_advice.end() ? "that is the last word of k3s in its log"
                                       : std::string(found->hint);
  return error;
}

Status ServiceWatch::look() {
  m_down = m_ports.service.state() == k3s::ServiceState::inactive ? m_down + 1 : 0;
  if (m_down >= k_down_tries) {
    return with_last_words({ErrorCode::io, "k3s has ended instead of getting ready", {}}, m_ports);
  }
  count_ends();
  // Between two lives, if they are seen: at the begin of one its log does not say why the last one
  // ended.
  if (m_ends < k_most_ends || (!m_processes.empty() && m_ends < 2 * k_most_ends)) {
    return {};
  }
  return with_last_words({ErrorCode::io, "k3s ends again and again instead of getting ready", {}},
                         m_ports);
}

/// By the processes: for a service manager that starts it again it is active all the time.
void ServiceWatch::count_ends() {
  auto now = m_ports.servers.find(m_data_dir);
  if (!now) {
    return;
  }
  const bool goes_on = std::ranges::any_of(m_processes, [&](const k3s::ServerProcess& before) {
    return std::ranges::find(*now, before.pid, &k3s::ServerProcess::pid) != now->end();
  });
  m_ends += m_processes.empty() || goes_on ? 0 : 1;
  m_processes = std::move(*now);
}

Status do_decrypt(const JournalState& state, Ports& ports) {
  RB_TRY(make_directories(state.plan.work_dir(), 0700));
  return ports.set.decrypt_snapshot(state.plan.snapshot_path());
}

Status do_stop(const JournalState& state, Ports& ports) {
  if (ports.service.state() != k3s::ServiceState::inactive) {
    RB_TRY(ports.service.stop());
  }
  const bool stopped = ports.service.state() == k3s::ServiceState::inactive;
  return stopped ? expect_no_server(state.plan.data_dir, ports, k_patience_with_end)
                 : expect_no_server(state.plan.data_dir, ports);
}

Status do_save_state(JournalState& state, Ports& ports) {
  const std::string server = server_dir(state.plan);
  const std::string aside = state.saved_path();
  RB_TRY(remove_path(aside));
  RB_TRY(make_directories(aside + "/server", 0700));
  database_of(state.plan.datastore).note(state, ports.clock);
  state.saved.clear();
  state.files.clear();
  for (const char* const name : k_saved) {
    if (exists(server + "/" + name)) {
      RB_TRY(copy_tree(server + "/" + name, aside + "/server/" + name));
    }
    if (exists(aside + "/server/" + name)) {
      state.saved.emplace_back(name);
    }
  }
  state.before.reset();
  if (auto names = names_of_data(state.plan);
      !state.had_database && names && names->size() <= k_names_limit) {
    state.before = std::move(names);
  }
  if (state.plan.bare) {
    RB_TRY(save_files(state, ports));
    RB_TRY(save_other(state, ports.root + k3s::k_node_password));
    note_image(state);
  }
  RB_TRY(save_other(state, ports.root + state.plan.kubeconfig));
  if (state.plan.joining && !state.plan.joining->drop_in.empty()) {
    RB_TRY(save_other(state, ports.root + state.plan.joining->drop_in));
  }
  state.recorded = true;
  return {};
}

void put_image(const Plan& plan, Ports& ports) {
  const std::string path = image_path(plan);
  const auto put = [&]() -> Result<bool> {
    RB_TRY(make_directories(path.substr(0, path.rfind('/')), 0755));
    return ports.set.put_image(path);
  };
  const auto done = put();
  if (done && *done) {
    ports.progress.on_line("the image of railiance-backup lies at " + path +
                           ": k3s takes it in at its start");
    return;
  }
  const std::string why = done ? "the kit holds none" : done.error().message;
  ports.progress.on_line("warning: no image of railiance-backup is put there (" + why +
                         "): there are no backups until k3s can pull it");
}

Status do_reset(const JournalState& state, Ports& ports, const Limits& limits) {
  RB_TRY(expect_no_server(state.plan.data_dir, ports, k_patience_with_reset));
  return database_of(state.plan.datastore).put(state, ports, limits);
}

Status do_ready(const Plan& plan, Ports& ports, const Limits& limits) {
  ServiceWatch watch(plan.data_dir, ports);
  k3s::ReadyWait wait;
  wait.timeout = limits.ready;
  wait.alive = [&watch] { return watch.look(); };
  const k3s::Kubectl kubectl{plan.k3s_program, plan.kubeconfig, plan.data_dir};
  const auto took =
      k3s::wait_until_ready(ports.processes, ports.clock, ports.waiter, kubectl, wait, ports.stop);
  if (!took) {
    return took.error().code == ErrorCode::timeout ? with_last_words(took.error(), ports)
                                                   : took.error();
  }
  ports.progress.on_line("the API is ready after " + std::to_string(took->count() / 1000) + " s");
  return {};
}

Status do_compare(const Plan& plan, Ports& ports, Outcome& outcome) {
  RB_TRY_ASSIGN(const objects::Contents contents, ports.cluster.contents(plan.snapshot_path()));
  RB_TRY_ASSIGN(
      const auto api,
      ports.cluster.connect({plan.k3s_program, plan.kubeconfig, plan.data_dir}, plan.work_dir()));
  RB_TRY_ASSIGN(const objects::ServedKinds served,
                objects::served_kinds(*api, contents, ports.waiter, k_definitions_patience, {}));
  for (const std::string& one : served.unanswered) {
    ports.progress.on_line("warning: " + archive::printable(one) +
                           ": what it served is not compared");
  }
  RB_TRY_ASSIGN(outcome.objects, compare_objects(*api, contents, served.resources, ports.waiter));
  ports.progress.on_line(std::to_string(outcome.objects.kinds) + " kinds of objects compared");
  return {};
}

} // namespace rb::cluster
