// etcd: k3s itself resets the cluster to the snapshot, and moves the old database aside.
#include "restore/cluster/checks.hpp"
#include "restore/cluster/database.hpp"
#include "restore/cluster/file_changes.hpp"
#include "restore/cluster/steps.hpp"
#include "set/restore_guide.hpp"

#include <sys/stat.h>

#include <algorithm>

namespace rb::cluster {

namespace {

using set::shell_word;

/// etcd preallocates a write-ahead log of 64 MiB, and needs room for the next one.
constexpr std::uint64_t k_margin_bytes = std::uint64_t{160} << 20U;

std::string db_of(const Plan& plan) {
  return plan.data_dir + "/server/db";
}

/// Databases that were moved aside since the restore began.
std::vector<std::string> new_databases(const JournalState& state) {
  std::vector<std::string> names = names_in(db_of(state.plan), "etcd-old-");
  std::erase_if(names, [&](const std::string& name) {
    return std::ranges::find(state.old_databases, name) != state.old_databases.end();
  });
  return names;
}

/// One that was cut off a moment ago, or in another time of this clock, may have had the second.
constexpr int k_reset_tries = 3;

Result<ProcessResult> run_reset(const ProcessSpec& spec, Ports& ports) {
  for (int tries = 1;; ++tries) {
    RB_TRY_ASSIGN(ProcessResult result, ports.processes.run(spec, ports.stop));
    if (tries == k_reset_tries || !k3s::old_name_was_taken(result)) {
      return result;
    }
    ports.waiter.wait(std::chrono::seconds(1), ports.stop);
  }
}

/// Which writing of a file this is.
std::string version_of(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return {};
  }
  return std::to_string(status.st_ino) + ":" + std::to_string(status.st_ctim.tv_sec) + ":" +
         std::to_string(status.st_ctim.tv_nsec);
}

Check of_arguments(const ServerSettings& settings) {
  for (const std::string& argument : settings.values("etcd-arg")) {
    if (argument.starts_with("data-dir=") || argument.starts_with("wal-dir=") ||
        argument.starts_with("--data-dir=") || argument.starts_with("--wal-dir=")) {
      return refused("datastore",
                     "the configuration has `etcd-arg: " + argument.substr(0, argument.find('=')) +
                         "`: k3s would restore elsewhere than etcd reads",
                     "remove it, and move etcd's data below the data directory");
    }
  }
  return passed("datastore", "embedded etcd");
}

Check of_directory(const ObservedHost& host) {
  const std::string etcd = host.data_dir + "/server/db/etcd";
  if (host.data.tombstone) {
    return warned("data-directory",
                  etcd + ": this member was removed from its cluster; it starts a new one");
  }
  if (host.data.sqlite && !host.data.etcd) {
    return warned("data-directory",
                  host.data_dir +
                      "/server/db/state.db: the SQLite data is moved to state-old-<seconds>, and "
                      "not used any more",
                  "keep it until the restored cluster is proven");
  }
  return passed("data-directory", host.data_dir);
}

class Etcd final : public Database {
public:
  [[nodiscard]] std::string name() const override { return "embedded etcd"; }
  [[nodiscard]] std::uint64_t margin_bytes() const override { return k_margin_bytes; }

  [[nodiscard]] std::string line(const Plan& plan) const override {
    std::string line =
        "k3s server --cluster-reset --cluster-reset-restore-path=" + plan.snapshot_path() +
        " --data-dir=" + plan.data_dir + " --etcd-s3=false --alsologtostderr";
    for (const std::string& flag : plan.carried) {
      line += " " + flag;
    }
    return line + (plan.bare ? " (token in the environment)" : "");
  }

  [[nodiscard]] std::vector<std::string> by_hand(const Plan& plan,
                                                 const std::string& snapshot) const override {
    std::string reset = shell_word(plan.k3s_program.empty() ? "k3s" : plan.k3s_program) +
                        " server --cluster-reset --cluster-reset-restore-path=" + snapshot +
                        " --data-dir=" + shell_word(plan.data_dir) +
                        " --etcd-s3=false --alsologtostderr";
    for (const std::string& flag : plan.carried) {
      reset += " " + shell_word(flag);
    }
    if (plan.bare) {
      reset = "K3S_TOKEN=\"$(cat " + shell_word(plan.data_dir + "/server/token") + ")\" " + reset;
    }
    const std::string db = shell_word(db_of(plan));
    return {"# of a server on SQLite, which older releases of k3s would mix into the snapshot:",
            "[ ! -e " + db + "/state.db ] || { old=" + db +
                "/state-old-$(date -u +%Y%m%dT%H%M%SZ); mkdir -p \"$old\"; mv " + db +
                "/state.db* \"$old/\"; }",
            "umask 022",
            "# ends with exit status 0 and \"restart without --cluster-reset flag now\":",
            std::move(reset)};
  }

  [[nodiscard]] std::vector<Check> check(const ObservedHost& host,
                                         const ServerSettings& settings) const override {
    return {of_directory(host), of_arguments(settings)};
  }

  void note(JournalState& state, const Clock& clock) const override {
    const std::string db = db_of(state.plan);
    state.had_database = exists(db + "/etcd");
    state.old_databases = names_in(db, "etcd-old-");
    const std::string aside =
        has_state(db) ? free_name(db + "/state-old-" + seconds_text(clock)) : std::string();
    state.state_aside = aside.substr(aside.rfind('/') + 1);
  }

  void note_moved(JournalState& state) const override {
    if (!state.recorded || !state.had_database || !state.original.empty()) {
      return;
    }
    const std::vector<std::string> aside = new_databases(state);
    state.original = aside.empty() ? std::string() : aside.front();
  }

  [[nodiscard]] Status
  put(const JournalState& state, Ports& ports, const Limits& limits) const override {
    set::HostState host;
    k3s::ResetOrder order;
    order.program = state.plan.k3s_program;
    order.data_dir = state.plan.data_dir;
    order.snapshot_path = state.plan.snapshot_path();
    order.carried = state.plan.carried;
    order.timeout = limits.reset;
    if (state.plan.bare) {
      RB_TRY(do_put_back(state, ports)); // a reset that was cut off leaves another token
      RB_TRY_ASSIGN(host, ports.set.host_state());
      order.token = host.server_token();
    }
    RB_TRY(set_state_aside(state, ports));
    const std::string kubeconfig = ports.root + state.plan.kubeconfig;
    const std::string before = version_of(kubeconfig);
    RB_TRY_ASSIGN(ProcessSpec spec, k3s::reset_spec(order));
    const auto result = run_reset(spec, ports);
    k3s::wipe_token(spec);
    if (!result) {
      return result.error();
    }
    RB_TRY(k3s::judge_reset(*result));
    // It may trust a CA made for the occasion; the start writes it anew.
    return version_of(kubeconfig) == before ? Status() : remove_path(kubeconfig);
  }

  [[nodiscard]] std::vector<std::string> aside(const JournalState& state) const override {
    std::vector<std::string> paths;
    if (!state.original.empty()) {
      paths.push_back(db_of(state.plan) + "/" + state.original);
    }
    if (!state.state_aside.empty() && !state.plan.joining) { // a rejoin leaves it where it is
      paths.push_back(db_of(state.plan) + "/" + state.state_aside);
    }
    return paths;
  }

  [[nodiscard]] Status put_back(const JournalState& state, Ports& ports) const override {
    const std::string db = db_of(state.plan);
    const std::string failed =
        state.plan.data_dir + "/" + std::string(k_failed_etcd) + seconds_text(ports.clock);
    const bool moved = !state.original.empty() && exists(db + "/" + state.original);
    // On a bare host that of a reset is removed with the rest; one that was lived in is kept.
    const bool kept = !state.before || state.is_complete(Step::ready);
    if (exists(db + "/etcd") && (moved || (!state.had_database && kept))) {
      RB_TRY(move_path(db + "/etcd", free_name(failed)));
    }
    if (state.had_database) {
      RB_TRY(set_half_made_aside(state, failed));
    }
    if (moved) {
      RB_TRY(move_path(db + "/" + state.original, db + "/etcd"));
    }
    RB_TRY(put_state_in_place(state, ports));
    return remove_path(db + "/reset-flag");
  }

private:
  static Status set_made_aside(const JournalState& state, const Ports& ports) {
    return move_state(db_of(state.plan),
                      free_name(state.plan.data_dir + "/" + std::string(k_failed_state) +
                                seconds_text(ports.clock)));
  }

  /// Older releases of k3s put what a state.db has into the etcd that they reset, and rename it
  /// (migrateFromSQLite of k3s, pkg/etcd/etcd.go, which newer ones call at a start alone).
  static Status set_state_aside(const JournalState& state, const Ports& ports) {
    if (state.state_aside.empty()) {
      return {};
    }
    const std::string db = db_of(state.plan);
    RB_TRY(move_state(db, db + "/" + state.state_aside));
    return has_state(db) ? set_made_aside(state, ports) : Status(); // by a start in the midst
  }

  static Status put_state_in_place(const JournalState& state, const Ports& ports) {
    const std::string db = db_of(state.plan);
    const std::string aside = db + "/" + state.state_aside;
    if (state.state_aside.empty() || !exists(aside)) {
      return {};
    }
    if (has_state(db) && has_state(aside)) {
      RB_TRY(set_made_aside(state, ports));
    }
    RB_TRY(move_state(aside, db));
    return remove_path(aside);
  }

  /// Half-made ones, which resets that were repeated have moved aside. They go before the original
  /// comes back: what is left under the name of an old database is then one.
  static Status set_half_made_aside(const JournalState& state, const std::string& failed) {
    for (const std::string& name : new_databases(state)) {
      if (name != state.original) {
        RB_TRY(move_path(db_of(state.plan) + "/" + name, free_name(failed)));
      }
    }
    return {};
  }
};

} // namespace

const Database& etcd_database() {
  static const Etcd k_etcd;
  return k_etcd;
}

} // namespace rb::cluster
