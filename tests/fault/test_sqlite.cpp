// Runs of the agent on a server that keeps its state in SQLite.
#include "agent/run/leftovers.hpp"
#include "fault/fake_host.hpp"
#include "set/set_check.hpp"
#include "support/kine_database.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <memory>

using namespace rb;
using api::ArtifactType;
using api::Reason;
using test::FakeHost;
using test::KineDatabase;

namespace {

constexpr const char* k_state = "data/server/db/state.db";

struct SqliteHost {
  FakeHost host;
  std::shared_ptr<KineDatabase>& database = host.database;

  SqliteHost() {
    host.use_sqlite();
    std::filesystem::remove_all(host.scratch.path("data/server/db/snapshots"));
  }

  /// Of the newest set, with the key.
  [[nodiscard]] set::SetReport checked() const {
    set::Directory directory = set::Directory::open_existing(host.settings.backup_dir).value();
    const auto sets = set::list_sets(directory).value();
    return set::check_set(directory, sets.front(), std::span(&host.identity, 1));
  }

  /// A failed run has its reason, leaves the set before it, and no plaintext.
  void expect_failure(Reason reason, const std::string& words) {
    const auto before = host.backups();
    const agent::RunReport report = host.run();
    CHECK(api::to_string(report.reason) == api::to_string(reason));
    CHECK(report.message.find(words) != std::string::npos);
    INFO(report.message);
    CHECK(test::is_untouched(before, host.backups()));
    CHECK(plaintexts().empty());
  }

  /// k3s is asked for its version only.
  [[nodiscard]] bool asked_for_snapshots() const {
    return host.scratch.read("bin/calls").find("etcd-snapshot") != std::string::npos;
  }

  [[nodiscard]] std::vector<std::string> plaintexts() const {
    return host.scratch.exists("data/server/db/snapshots") ? host.snapshots()
                                                           : std::vector<std::string>();
  }
};

} // namespace

TEST_CASE("a server on SQLite: a whole set, k3s is not asked, and nothing is left in clear") {
  SqliteHost server;
  const agent::RunOrder order = server.host.next_order();
  const agent::RunReport report = server.host.run(order);
  INFO(report.message);
  REQUIRE(report.succeeded());
  CHECK_FALSE(server.asked_for_snapshots());

  const std::string name = "sqlite-" + order.run_id + ".db.age";
  CHECK(server.host.opened(name).starts_with("SQLite format 3"));
  const set::Manifest manifest = *test::sets_of(server.host).front().manifest;
  REQUIRE(manifest.snapshot);
  CHECK(manifest.snapshot->kind == api::DatastoreKind::sqlite);
  CHECK(manifest.snapshot->revision == 3);
  CHECK(manifest.snapshot->total_keys == 3);
  CHECK(manifest.snapshot->bootstrap_hashes == std::vector{server.host.token_hash()});
  CHECK(report.status.etcd->kind == api::DatastoreKind::sqlite);
  CHECK(server.plaintexts().empty());
  for (const std::string& leak : server.host.leaks()) {
    CHECK(leak.starts_with(server.host.scratch.path(k_state))); // the server's own
  }
  const set::SetReport checked = server.checked();
  CHECK(checked.code == ExitCode::done);
}

TEST_CASE("verify of a set of SQLite proves revision, keys and token, and sees a changed byte") {
  SqliteHost server;
  const agent::RunOrder order = server.host.next_order();
  REQUIRE(server.host.run(order).succeeded());
  const set::SetReport whole = server.checked();
  const auto snapshot =
      std::ranges::find(whole.files, ArtifactType::datastore, &set::FileReport::type);
  REQUIRE(snapshot != whole.files.end());
  for (const char* const proof :
       {"snapshot digest", "revision 3", "3 keys", "bootstrap key of the token"}) {
    CHECK(std::ranges::find(snapshot->proven, proof) != snapshot->proven.end());
  }
  REQUIRE(snapshot->snapshot);
  CHECK(snapshot->snapshot->members.size() == 1);

  const std::string path = "backups/sqlite-" + order.run_id + ".db.age";
  std::string bytes = server.host.scratch.read(path);
  bytes[bytes.size() / 2] ^= '\x01';
  server.host.scratch.write(path, bytes);
  CHECK(server.checked().code == ExitCode::damaged);
}

TEST_CASE("what is only in the log is in the set, and the log stays as it is") {
  SqliteHost server;
  server.database->run("PRAGMA wal_autocheckpoint=0");
  for (int i = 0; i < 300; ++i) {
    server.database->put("/registry/pods/default/" + std::to_string(i), std::string(2000, 'x'));
  }
  const std::string log = server.host.scratch.read(std::string(k_state) + "-wal");
  REQUIRE(server.host.run().succeeded());
  CHECK(test::sets_of(server.host).front().manifest->snapshot->revision == 303);
  CHECK(server.host.scratch.read(std::string(k_state) + "-wal") == log);
}

TEST_CASE("state.db is damaged: SnapshotInvalid, and the set before stays") {
  SqliteHost server;
  for (int i = 0; i < 500; ++i) {
    server.database->put("/registry/pods/default/" + std::to_string(i), std::string(2000, 'x'));
  }
  server.database->compact(1000);
  REQUIRE(server.host.run().succeeded());
  server.database.reset();
  std::string bytes = server.host.scratch.read(k_state);
  for (std::size_t at = 8 * 4096; at < bytes.size(); at += 4096) {
    bytes.replace(at, 64, std::string(64, '\xee'));
  }
  server.host.scratch.write(k_state, bytes);
  server.host.scratch.write(std::string(k_state) + "-wal", "");
  server.expect_failure(Reason::snapshot_invalid, "server/db/state.db is damaged");
  server.host.scratch.write(k_state, "no database"); // seen before it is copied
  server.expect_failure(Reason::snapshot_invalid, "server/db/state.db is damaged");
}

TEST_CASE("the log is missing beside a database that needs it: said, and no older state is kept") {
  SqliteHost server;
  REQUIRE(server.host.run().succeeded());
  std::filesystem::remove(server.host.scratch.path(std::string(k_state) + "-wal"));
  server.expect_failure(Reason::snapshot_failed, "write-ahead log of the database is missing");
}

TEST_CASE("a database without this server's token: the set is incomplete, by name") {
  SqliteHost server;
  server.host.scratch.write("data/server/token", "K10abcdef::server:another\n");
  const agent::RunReport report = server.host.run();
  CHECK(report.reason == Reason::incomplete);
  CHECK(report.message.find("it does not belong to this snapshot") != std::string::npos);
}

TEST_CASE("the copy that a killed agent left is removed by the next run") {
  SqliteHost server;
  REQUIRE(server.host.run().succeeded());
  const agent::RunOrder killed = server.host.next_order();
  {
    set::Directory directory =
        set::Directory::open_existing(server.host.settings.backup_dir).value();
    REQUIRE(agent::mark_unfinished(directory, killed.run_id, server.host.settings.node_name));
  }
  const std::string left =
      k3s::snapshot_name(killed.run_id, server.host.settings.node_name, server.host.clock.now());
  server.host.scratch.write("data/server/db/snapshots/" + left, std::string(test::k_planted));
  REQUIRE(server.host.run().succeeded());
  CHECK(server.plaintexts().empty());
  CHECK_FALSE(server.asked_for_snapshots());
}

TEST_CASE("an external database: DatastoreExternal, and the other artifacts are there") {
  FakeHost host;
  std::filesystem::remove_all(host.scratch.path("data/server/db/etcd"));
  host.scratch.write("etc-rancher/k3s/config.yaml",
                     "datastore-endpoint: postgres://user:pw@db/k3s\n");
  const agent::RunReport report = host.run();
  CHECK(report.reason == Reason::incomplete);
  CHECK(report.message.find("DatastoreExternal") != std::string::npos);
  CHECK(report.message.find("pw@db") == std::string::npos);
  const set::Manifest manifest = *test::sets_of(host).front().manifest;
  CHECK(manifest.artifacts.size() == 3);
  REQUIRE(manifest.missing.size() == 1);
  CHECK(manifest.missing.front().type == ArtifactType::datastore);
  CHECK(manifest.missing.front().reason == Reason::datastore_external);
}

TEST_CASE("what is left of an earlier SQLite is never called a copy of the cluster") {
  SqliteHost server;
  const auto then = std::filesystem::file_time_type::clock::now() - std::chrono::hours(3);
  for (const char* const end : {"", "-wal"}) {
    std::filesystem::last_write_time(server.host.scratch.path(k_state) + end, then);
  }
  const agent::RunReport report = server.host.run();
  CHECK(report.reason == Reason::incomplete);
  CHECK(report.message.find("nobody has written to it for 3 h") != std::string::npos);
  const set::Manifest manifest = *test::sets_of(server.host).front().manifest;
  CHECK(manifest.find(ArtifactType::datastore) == nullptr);
  CHECK(manifest.find(ArtifactType::host_state) != nullptr);
  CHECK(server.plaintexts().empty());
}

TEST_CASE("an external database and no datastore asked for: the set is complete") {
  FakeHost host;
  std::filesystem::remove_all(host.scratch.path("data/server/db/etcd"));
  host.scratch.write("etc-rancher/k3s/config.yaml", "datastore-endpoint: mysql://db/k3s\n");
  agent::RunOrder order = host.next_order();
  std::erase(order.artifacts, ArtifactType::datastore);
  CHECK(host.run(order).succeeded());
}
