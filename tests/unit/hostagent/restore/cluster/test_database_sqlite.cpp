#include "facts.hpp"
#include "fake_host.hpp"
#include "restore/cluster/database.hpp"
#include "restore/cluster/file_changes.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

using namespace rb;
using namespace rb::cluster;
using test::FakeHost;

namespace {

constexpr auto k_sqlite = api::DatastoreKind::sqlite;
constexpr const char* k_aside = "data/server/db/state-old-1800000000";

/// Two directories of one file system.
struct Directories {
  test::Scratch scratch;
  std::string from = scratch.path("from");
  std::string to = scratch.path("to");

  Directories() {
    scratch.write("from/state.db", "old");
    scratch.write("from/state.db-wal", "old log");
    scratch.write("from/state.db-shm", "old index");
  }
  void check_moved() const {
    CHECK(scratch.read("to/state.db") == "old");
    CHECK(scratch.read("to/state.db-wal") == "old log");
    CHECK_FALSE(scratch.exists("to/state.db-shm"));
  }
};

void check_restored(const FakeHost& host, const Outcome& outcome) {
  INFO(outcome.message);
  CHECK(outcome.code == ExitCode::done);
  CHECK(host.data() == "restored");
  CHECK(host.running());
  CHECK(host.resets == 0);
  CHECK_FALSE(host.scratch.exists("data/railiance-restore/snapshot"));
}

void check_as_before(const FakeHost& host) {
  CHECK(host.data() == "old");
  CHECK(host.scratch.read("data/server/db/state.db-wal").starts_with("old log"));
  CHECK(host.scratch.read("data/server/tls/ca.crt") == "old ca");
  CHECK(host.scratch.read("data/server/cred/passwd") == "old passwd");
  CHECK_FALSE(host.scratch.exists(k_aside));
}

} // namespace

TEST_CASE("database and log move as one, and the index, which is made anew, does not") {
  const Directories two;
  REQUIRE(move_state(two.from, two.to));
  two.check_moved();
  CHECK(names_in(two.from, "").empty());
  REQUIRE(move_state(two.from, two.to)); // again
  two.check_moved();
}

TEST_CASE("a move that was cut off goes on from wherever it stood") {
  SUBCASE("the log has its second name") {
    const Directories two;
    std::filesystem::create_directory(two.to);
    std::filesystem::create_hard_link(two.from + "/state.db-wal", two.to + "/state.db-wal");
    REQUIRE(move_state(two.from, two.to));
    two.check_moved();
  }
  SUBCASE("the second name is of a log that has grown since") {
    const Directories two;
    two.scratch.write("to/state.db-wal", "an older log");
    REQUIRE(move_state(two.from, two.to));
    two.check_moved();
  }
  SUBCASE("the database is over there, and the log has both names") {
    const Directories two;
    std::filesystem::create_directory(two.to);
    std::filesystem::create_hard_link(two.from + "/state.db-wal", two.to + "/state.db-wal");
    std::filesystem::rename(two.from + "/state.db", two.to + "/state.db");
    REQUIRE(move_state(two.from, two.to));
    two.check_moved();
    CHECK(names_in(two.from, "").empty());
  }
}

TEST_CASE(
    "a server that was started in the midst of a move keeps what it made, and harms nothing") {
  const Directories two;
  std::filesystem::create_directory(two.to);
  std::filesystem::create_hard_link(two.from + "/state.db-wal", two.to + "/state.db-wal");
  std::filesystem::rename(two.from + "/state.db", two.to + "/state.db");
  std::filesystem::remove(two.from + "/state.db-wal"); // as SQLite does beside no database
  two.scratch.write("from/state.db", "made by a start");
  two.scratch.write("from/state.db-wal", "its log");
  REQUIRE(move_state(two.from, two.to));
  two.check_moved();
  CHECK(two.scratch.read("from/state.db") == "made by a start");
  CHECK(two.scratch.read("from/state.db-wal") == "its log");
}

TEST_CASE("a rollback journal goes with its database, and is left beside no other") {
  const Directories two;
  two.scratch.write("from/state.db-journal", "half a change");
  two.scratch.write("to/state.db-journal", "of a move that was cut off");
  REQUIRE(move_state(two.from, two.to));
  two.check_moved();
  CHECK(two.scratch.read("to/state.db-journal") == "half a change");
  CHECK(names_in(two.from, "").empty());
  two.scratch.write("copy", "restored");
  two.scratch.write("from/state.db-journal", "of nobody");
  REQUIRE(put_state(two.scratch.path("copy"), two.from));
  CHECK(names_in(two.from, "") == std::vector<std::string>{"state.db"});
  REQUIRE(remove_state(two.to));
  CHECK(names_in(two.to, "").empty());
}

TEST_CASE("a database without a log, and none at all") {
  const Directories two;
  std::filesystem::remove(two.from + "/state.db-wal");
  REQUIRE(move_state(two.from, two.to));
  CHECK(two.scratch.read("to/state.db") == "old");
  CHECK_FALSE(two.scratch.exists("to/state.db-wal"));
  REQUIRE(move_state(two.from, two.scratch.path("third")));
  CHECK_FALSE(two.scratch.exists("third"));
}

TEST_CASE("put_state leaves no log of another database beside the copy") {
  const Directories two;
  two.scratch.write("copy", "restored");
  std::filesystem::remove(two.from + "/state.db");
  REQUIRE(put_state(two.scratch.path("copy"), two.from));
  CHECK(names_in(two.from, "") == std::vector<std::string>{"state.db"});
  CHECK(two.scratch.read("from/state.db") == "restored");
}

TEST_CASE("SQLite in place: the old files go aside as one, certificates come from the copy") {
  FakeHost host(false, k_sqlite);
  host.before_start = [&] {
    CHECK(host.data() == "restored");
    CHECK(host.scratch.read(std::string(k_aside) + "/state.db") == "old");
    CHECK(host.scratch.read(std::string(k_aside) + "/state.db-wal") == "old log");
    CHECK_FALSE(host.scratch.exists("data/server/db/state.db-wal"));
    CHECK_FALSE(host.scratch.exists("data/server/db/state.db-shm"));
    CHECK_FALSE(host.scratch.exists("data/server/tls"));
  };
  check_restored(host, host.execute());
  CHECK(host.scratch.read("data/server/tls/ca.crt") == "of the backup");
  CHECK(host.scratch.read(std::string(k_aside) + "/cred/passwd") == "old passwd");
}

TEST_CASE("SQLite: a key that is only in server/tls is still there after the second restore") {
  FakeHost host(false, k_sqlite);
  host.scratch.write("data/server/tls/root-ca.key", "of the operator");
  check_restored(host, host.execute());
  check_restored(host, host.execute());
  CHECK(host.scratch.read(std::string(k_aside) + "/tls/root-ca.key") == "of the operator");
  CHECK(host.scratch.exists(std::string(k_aside) + "-1/tls/ca.crt"));
}

TEST_CASE(
    "SQLite: what the configuration names in server/tls and server/cred is there at the start") {
  FakeHost host(false, k_sqlite);
  host.scratch.write("data/server/tls/oidc-ca.pem", "of this host");
  host.scratch.write("data/server/tls/mine/a.pem", "of this host");
  host.scratch.write("data/server/cred/audit.kubeconfig", "of this host");
  host.more_files = {{"var/lib/rancher/k3s/server/cred/audit.kubeconfig", "of the backup"}};
  host.credentials = {host.data_dir() + "/server/tls/oidc-ca.pem",
                      host.data_dir() + "/server/tls/mine",
                      host.data_dir() + "/server/cred/audit.kubeconfig",
                      host.data_dir() + "/server/tls/nowhere.pem"};
  host.before_start = [&] {
    CHECK(host.scratch.read("data/server/tls/oidc-ca.pem") == "of this host");
    CHECK(host.scratch.read("data/server/tls/mine/a.pem") == "of this host");
    CHECK(host.scratch.read("data/server/cred/audit.kubeconfig") == "of the backup");
    CHECK_FALSE(host.scratch.exists("data/server/tls/ca.crt"));
    CHECK_FALSE(host.scratch.exists("data/server/cred/passwd"));
  };
  check_restored(host, host.execute());
  host.before_start = {};
  CHECK(host.roll_back().code == ExitCode::done);
  CHECK(host.scratch.read("data/server/cred/audit.kubeconfig") == "of this host");
  check_as_before(host);
}

TEST_CASE("SQLite on a bare host: what the configuration names there comes from the set") {
  FakeHost host(true, k_sqlite);
  host.more_files = {{"var/lib/rancher/k3s/server/tls/oidc-ca.pem", "of the backup"}};
  host.credentials = {host.data_dir() + "/server/tls/oidc-ca.pem"};
  host.before_start = [&] {
    CHECK(host.scratch.read("data/server/tls/oidc-ca.pem") == "of the backup");
  };
  check_restored(host, host.execute());
}

TEST_CASE("SQLite on a bare host: files back, the copy in its place, nothing set aside") {
  FakeHost host(true, k_sqlite);
  check_restored(host, host.execute());
  CHECK(host.scratch.read("data/server/token") == "K10a::server:same\n");
  CHECK_FALSE(host.scratch.exists(k_aside));
}

TEST_CASE(
    "SQLite: a crash before each step, in place and bare: the same command ends the restore") {
  for (const bool bare : {false, true}) {
    for (const Step at : k_steps) {
      if (at == Step::put_back && !bare) {
        continue;
      }
      CAPTURE(bare);
      CAPTURE(std::string(word_of(at)));
      FakeHost host(bare, k_sqlite);
      CHECK(host.cut_off_before(at));
      host.lose_processes();
      check_restored(host, host.resume());
    }
  }
}

TEST_CASE("SQLite: k3s that comes up by itself after a crash spoils neither restore nor way back") {
  for (const bool back : {false, true}) {
    CAPTURE(back);
    FakeHost host(false, k_sqlite);
    CHECK(host.cut_off_before(Step::start));
    // The journal knows of the step before: as if the power had gone in its midst.
    std::filesystem::remove(host.data_dir() + "/server/db/state.db");
    REQUIRE(host.start());
    REQUIRE(host.stop());
    if (back) {
      CHECK(host.roll_back().code == ExitCode::done);
      check_as_before(host);
    } else {
      CHECK(host.scratch.read(std::string(k_aside) + "/state.db") == "old");
    }
  }
}

TEST_CASE("SQLite: the way back brings database and log, and keeps what was lived in") {
  FakeHost host(false, k_sqlite);
  check_restored(host, host.execute());
  CHECK(host.roll_back().code == ExitCode::done);
  check_as_before(host);
  CHECK(host.running());
  CHECK(host.scratch.read("data/server/db/state-failed-1800000000/state.db") == "restored");
  CHECK(host.roll_back().code == ExitCode::done); // once more
  check_as_before(host);
}

TEST_CASE("SQLite: a server that does not get ready goes back by itself") {
  FakeHost host(false, k_sqlite);
  host.never_ready = true;
  const Outcome outcome = host.execute();
  CHECK(outcome.code == ExitCode::failed);
  CHECK(outcome.rolled_back);
  check_as_before(host);
}

TEST_CASE("SQLite: a bare host on which it fails is as it was") {
  FakeHost host(true, k_sqlite);
  host.never_ready = true;
  CHECK(host.execute().rolled_back);
  CHECK_FALSE(host.scratch.exists("data/server/db/state.db"));
  CHECK_FALSE(host.scratch.exists("data/server/token"));
}

TEST_CASE("a set of SQLite on a server with etcd: that goes aside, and comes back") {
  FakeHost host(false, k_sqlite);
  std::filesystem::remove(host.data_dir() + "/server/db/state.db");
  std::filesystem::remove(host.data_dir() + "/server/db/state.db-wal");
  host.scratch.write("data/server/db/etcd/member/wal/0.wal", "of etcd");
  check_restored(host, host.execute());
  CHECK(host.scratch.exists(std::string(k_aside) + "/etcd/member/wal/0.wal"));
  CHECK_FALSE(host.scratch.exists("data/server/db/etcd"));
  CHECK(host.roll_back().code == ExitCode::done);
  CHECK(host.scratch.read("data/server/db/etcd/member/wal/0.wal") == "of etcd");
  CHECK(host.data() != "restored");
}

TEST_CASE(
    "a set of SQLite on a server with etcd: the step that was cut off at its end is done again") {
  for (const bool started : {false, true}) {
    CAPTURE(started);
    FakeHost host(false, k_sqlite);
    std::filesystem::remove(host.data_dir() + "/server/db/state.db");
    std::filesystem::remove(host.data_dir() + "/server/db/state.db-wal");
    host.scratch.write("data/server/db/etcd/member/wal/0.wal", "of etcd");
    CHECK(host.cut_off_before(Step::start));
    host.lose_processes();
    const Journal journal(host.fresh_journal().plan.work_dir());
    JournalState state = **journal.load();
    std::erase(state.completed, Step::reset);
    state.current = Step::reset;
    REQUIRE(journal.save(state));
    if (started) { // k3s came up by itself, with `cluster-init`
      host.scratch.write("data/server/db/etcd/member/wal/0.wal", "made by a start");
    }
    check_restored(host, host.resume());
    CHECK_FALSE(host.scratch.exists("data/server/db/etcd"));
    CHECK_FALSE(host.scratch.exists(std::string(k_aside) + "/state.db"));
    CHECK(host.roll_back().code == ExitCode::done);
    CHECK(host.scratch.read("data/server/db/etcd/member/wal/0.wal") == "of etcd");
    CHECK(host.data() != "restored");
  }
}

TEST_CASE(
    "a set of etcd on a server with SQLite: no k3s finds a state.db to mix in, and it comes back") {
  for (const bool ready : {true, false}) {
    CAPTURE(ready);
    FakeHost host;
    std::filesystem::remove_all(host.data_dir() + "/server/db/etcd");
    host.scratch.write("data/server/db/state.db", "of SQLite");
    host.scratch.write("data/server/db/state.db-wal", "its log");
    bool asked = false;
    host.before_reset = [&] {
      asked = true;
      CHECK_FALSE(host.scratch.exists("data/server/db/state.db"));
    };
    host.never_ready = !ready;
    const Outcome outcome = host.execute();
    CHECK(asked);
    CHECK((outcome.code == ExitCode::done) == ready);
    if (ready) {
      CHECK(host.data() == "restored");
      CHECK(host.scratch.read(std::string(k_aside) + "/state.db") == "of SQLite");
      CHECK(host.roll_back().code == ExitCode::done);
    }
    CHECK(host.scratch.read("data/server/db/state.db") == "of SQLite");
    CHECK(host.scratch.read("data/server/db/state.db-wal") == "its log");
    CHECK_FALSE(host.scratch.exists(k_aside));
    CHECK_FALSE(host.scratch.exists("data/server/db/etcd/member"));
  }
}

TEST_CASE("SQLite: what `cluster-init` made of the copy goes on the way back, and is kept") {
  for (const bool bare : {false, true}) {
    CAPTURE(bare);
    FakeHost host(bare, k_sqlite);
    check_restored(host, host.execute());
    const std::string db = host.data_dir() + "/server/db"; // as k3s does it at its start:
    std::filesystem::rename(db + "/state.db", db + "/state.db.migrated");
    host.scratch.write("data/server/db/etcd/member/wal/0.wal", "of the copy");
    CHECK(host.roll_back().code == ExitCode::done);
    CHECK_FALSE(host.scratch.exists("data/server/db/etcd"));
    CHECK(host.scratch.read("data/server/db/etcd-failed-1800000000/member/wal/0.wal") ==
          "of the copy");
    if (!bare) {
      check_as_before(host);
    }
  }
}

TEST_CASE("SQLite beside etcd: a way back that was cut off between the two brings both") {
  FakeHost host(false, k_sqlite);
  host.scratch.write("data/server/db/etcd/member/snap/db", "left by a failed migration");
  check_restored(host, host.execute());
  const std::string db = host.data_dir() + "/server/db";
  REQUIRE(remove_state(db));
  REQUIRE(move_state(host.scratch.path(k_aside), db)); // so far it came
  CHECK(host.roll_back().code == ExitCode::done);
  check_as_before(host);
  CHECK(host.scratch.read("data/server/db/etcd/member/snap/db") == "left by a failed migration");
  CHECK(host.roll_back().code == ExitCode::done); // once more
  check_as_before(host);
  CHECK(host.scratch.read("data/server/db/etcd/member/snap/db") == "left by a failed migration");
}
