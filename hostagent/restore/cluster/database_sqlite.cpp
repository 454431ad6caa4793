// SQLite: k3s has no command for it. The copy is the database; everything else that k3s needs it
// takes from the copy by the server token, as on an empty disk.
#include "restore/cluster/checks.hpp"
#include "restore/cluster/database.hpp"
#include "restore/cluster/file_changes.hpp"
#include "restore/cluster/put_back.hpp"
#include "restore/cluster/steps.hpp"
#include "set/restore_guide.hpp"

#include <algorithm>

namespace rb::cluster {

namespace {

using set::shell_word;

/// The write-ahead log, which grows to some megabytes, and k3s's compaction and VACUUM.
constexpr std::uint64_t k_margin_bytes = std::uint64_t{64} << 20U;

/// Certificates and keys that k3s writes from the copy at its start. Newer ones of another
/// authority it would not replace: it would not start.
constexpr const char* k_from_the_copy[] = {"tls", "cred"};

// What was there before, as the journal names it.
constexpr const char* k_state_noted = "state.db";
constexpr const char* k_etcd_noted = "etcd";

std::string db_of(const Plan& plan) {
  return plan.data_dir + "/server/db";
}

/// Where what was there lies meanwhile.
std::string aside_of(const JournalState& state) {
  return db_of(state.plan) + "/" + state.original;
}

/// Of which the host had a database.
struct Before {
  bool state = false;
  bool etcd = false;
};

Before before_of(const JournalState& state) {
  const auto noted = [&](const std::string& name) {
    return std::ranges::find(state.old_databases, name) != state.old_databases.end();
  };
  if (!state.had_database || !state.old_databases.empty()) {
    return {noted(k_state_noted), noted(k_etcd_noted)};
  }
  // A journal of an older release: what lies aside says it, and an etcd in the place is not
  // touched.
  const std::string aside = aside_of(state);
  return {has_state(aside) || !exists(aside + "/etcd"), true};
}

/// With an endpoint k3s does not look at `cluster-init` (k3s, pkg/cluster/managed.go).
bool makes_etcd(const ServerSettings& settings) {
  return settings.is_on("cluster-init") && settings.value("datastore-endpoint").empty();
}

/// k3s writes the objects of a state.db into a new etcd, and nothing else of it
/// (migrateFromSQLite of k3s, pkg/etcd/etcd.go): certificates, keys and token that the copy would
/// bring it makes anew.
Check refuse_new_cluster(const ServerSettings& settings) {
  const std::string place = settings.of("cluster-init").back().place;
  return refused("datastore",
                 "the configuration has `cluster-init`" +
                     (place.empty() ? "" : " (" + place + ")") +
                     ": at its start k3s would write the objects of the copy into a new etcd, with "
                     "other certificates, keys and another token than those of the backup",
                 "remove it, and restore; when the restored server runs it can be written again, "
                 "and k3s makes etcd of it with what it has. On a bare host: --keep-config, with a "
                 "configuration of this host's own without it");
}

class Sqlite final : public Database {
public:
  [[nodiscard]] std::string name() const override { return "SQLite"; }
  [[nodiscard]] std::uint64_t margin_bytes() const override { return k_margin_bytes; }

  [[nodiscard]] std::string line(const Plan& plan) const override {
    const std::string db = db_of(plan);
    return "move " + db +
           "/state.db, its -wal, -journal and -shm, etcd where it is there, tls and cred to " + db +
           "/state-old-…, and put the copy in their place";
  }

  [[nodiscard]] std::vector<std::string> by_hand(const Plan& plan,
                                                 const std::string& snapshot) const override {
    const std::string db = shell_word(db_of(plan));
    const std::string server = shell_word(plan.data_dir + "/server");
    std::vector<std::string> lines{
        "# database, log and index are one: never one of them alone; etcd would be used before it:",
        "old=" + db + "/state-old-$(date -u +%Y%m%dT%H%M%SZ)",
        "mkdir -p \"$old\"",
        "for f in state.db-wal state.db-journal; do [ ! -e " + db + "/$f ] || cp -p " + db +
            "/$f \"$old/\"; done",
        "for f in state.db etcd; do [ ! -e " + db + "/$f ] || mv " + db + "/$f \"$old/\"; done",
        "rm -f " + db + "/state.db-wal " + db + "/state.db-journal " + db + "/state.db-shm",
        "# k3s writes these from the copy:",
        "for f in tls cred; do [ ! -e " + server + "/$f ] || mv " + server + "/$f \"$old/\"; done",
        "cp " + snapshot + " " + db + "/state.db"};
    for (const std::string& path : plan.credentials) {
      const std::string kept =
          "\"$old\"/" +
          shell_word(path.substr(plan.data_dir.size() + std::string_view("/server/").size()));
      const std::string directory = shell_word(path.substr(0, path.rfind('/')));
      lines.push_back("[ ! -e " + kept + " ] || { mkdir -p " + directory + "; cp -pR " + kept +
                      " " + directory +
                      "/; } # the configuration names it, and k3s does not make it");
    }
    return lines;
  }

  [[nodiscard]] std::vector<Check> check(const ObservedHost& host,
                                         const ServerSettings& settings) const override {
    std::vector<Check> checks;
    checks.push_back(
        host.data.etcd
            ? warned("data-directory",
                     host.data_dir +
                         "/server/db/etcd: this server runs on etcd; that is moved aside, and the "
                         "restored server runs on SQLite",
                     "--rollback brings it back")
            : passed("data-directory", host.data_dir));
    checks.push_back(makes_etcd(settings) ? refuse_new_cluster(settings)
                                          : passed("datastore", "SQLite"));
    return checks;
  }

  void note(JournalState& state, const Clock& clock) const override {
    const std::string db = db_of(state.plan);
    state.old_databases.clear();
    if (has_state(db)) {
      state.old_databases.emplace_back(k_state_noted);
    }
    if (exists(db + "/etcd")) {
      state.old_databases.emplace_back(k_etcd_noted);
    }
    state.had_database = !state.old_databases.empty();
    const std::string aside = free_name(db + "/state-old-" + seconds_text(clock));
    state.original = aside.substr(aside.rfind('/') + 1);
  }

  [[nodiscard]] Status
  put(const JournalState& state, Ports& ports, const Limits& /*limits*/) const override {
    const std::string db = db_of(state.plan);
    const std::string aside = aside_of(state);
    if (state.plan.bare) {
      RB_TRY(do_put_back(state, ports)); // a start that nobody asked for leaves another token
    }
    const Before before = before_of(state);
    if (state.had_database) {
      RB_TRY(make_directories(aside, 0700));
    }
    if (before.state) {
      RB_TRY(move_state(db, aside));
    }
    if (exists(db + "/etcd")) {
      const bool old = before.etcd && !exists(aside + "/etcd"); // else made by a start, too
      RB_TRY(move_path(db + "/etcd", old ? aside + "/etcd" : failed_etcd(state, ports)));
    }
    if (has_state(db)) { // made by a start in the midst of this
      RB_TRY(set_aside(state, ports));
    }
    RB_TRY(put_state(state.plan.snapshot_path(), db));
    RB_TRY(clear_certificates(state));
    return put_credentials(state, ports);
  }

  [[nodiscard]] std::vector<std::string> aside(const JournalState& state) const override {
    return state.had_database ? std::vector<std::string>{aside_of(state)}
                              : std::vector<std::string>();
  }

  [[nodiscard]] Status put_back(const JournalState& state, Ports& ports) const override {
    const std::string db = db_of(state.plan);
    const std::string aside = aside_of(state);
    if (state.original.empty() || (state.had_database && !exists(aside))) {
      return {}; // the copy was not put yet, or all of this is done
    }
    const Before before = before_of(state);
    // What is in the place is of this restore, unless that came back already; one that was lived in
    // is kept.
    const bool kept = !state.before || state.is_complete(Step::ready);
    if (has_state(aside) || !before.state) {
      RB_TRY(kept ? set_aside(state, ports) : remove_state(db));
    }
    if (before.state) {
      RB_TRY(move_state(aside, db));
    }
    const bool etcd_aside = exists(aside + "/etcd");
    const bool made = etcd_aside || (kept && !before.etcd); // by `cluster-init`, from the copy
    if (made && exists(db + "/etcd")) {
      RB_TRY(move_path(db + "/etcd", failed_etcd(state, ports)));
    }
    if (etcd_aside) {
      RB_TRY(move_path(aside + "/etcd", db + "/etcd"));
    }
    return remove_path(aside);
  }

private:
  /// They were copied aside, but only until the next restore has succeeded. What k3s does not bring
  /// back (keys of an operator's own authority) stays beside the old database, which may be on
  /// another disk than they are.
  static Status clear_certificates(const JournalState& state) {
    for (const char* const name : k_from_the_copy) {
      const std::string path = state.plan.data_dir + "/server/" + name;
      const std::string kept = aside_of(state) + "/" + name;
      if (state.had_database && exists(path) && !exists(kept)) {
        const std::string part = kept + ".part"; // whole or not at all
        RB_TRY(copy_tree(path, part));
        RB_TRY(move_path(part, kept));
      }
      RB_TRY(remove_path(path));
    }
    return {};
  }

  /// What the configuration names there and k3s does not make: without it k3s would not start. As
  /// it was at the time of the copy where the set has it, else as it was here.
  static Status put_credentials(const JournalState& state, Ports& ports) {
    if (state.plan.credentials.empty()) {
      return {};
    }
    const auto host = ports.set.host_state(); // in place it may be missing
    for (const std::string& path : state.plan.credentials) {
      bool from_set = false;
      if (host) {
        RB_TRY_ASSIGN(from_set, put_from_set(*host, path, state.plan.data_dir));
      }
      const std::string before = state.saved_path() + path.substr(state.plan.data_dir.size());
      if (!from_set && exists(before)) {
        RB_TRY(make_directories(path.substr(0, path.rfind('/')), 0700));
        RB_TRY(copy_tree(before, path));
      }
    }
    return {};
  }

  static std::string failed_etcd(const JournalState& state, const Ports& ports) {
    return free_name(state.plan.data_dir + "/" + std::string(k_failed_etcd) +
                     seconds_text(ports.clock));
  }

  static Status set_aside(const JournalState& state, Ports& ports) {
    return move_state(db_of(state.plan),
                      free_name(state.plan.data_dir + "/" + std::string(k_failed_state) +
                                seconds_text(ports.clock)));
  }
};

} // namespace

const Database& sqlite_database() {
  static const Sqlite k_sqlite;
  return k_sqlite;
}

} // namespace rb::cluster
