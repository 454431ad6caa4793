#include "agent/run/leftovers.hpp"
#include "k3s/etcd_snapshot.hpp"
#include "support/immutable.hpp"
#include "support/scratch.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::agent;

namespace {

const std::string k_run = "20261122T115200Z";
const std::string k_name = "railiance-20261122T115200Z-vm-1795348336";

/// Deletes as k3s does, or does nothing.
class Deleter final : public ProcessRunner {
public:
  std::string directory;
  bool works = true;
  std::vector<std::string> calls;

  Result<ProcessResult> run(const ProcessSpec& spec, std::stop_token) override {
    calls.push_back(spec.arguments.back());
    ProcessResult result;
    result.exit_status = works ? 0 : 1;
    if (works) {
      std::filesystem::remove(directory + "/" + spec.arguments.back());
    }
    return result;
  }
};

struct Fixture {
  test::Scratch scratch;
  set::Directory directory = set::Directory::open(scratch.path("backups")).value();
  k3s::K3sCommand command{"/k3s", "/d", "vm", {}, {}, false};
  Deleter k3s;
  std::string snapshots = scratch.path("snapshots");

  Fixture() {
    scratch.make_directory("snapshots");
    k3s.directory = snapshots;
  }
  datastore::Place datastore = datastore::Place::embedded_etcd;

  [[nodiscard]] K3sPlace place() const {
    return {{}, command, snapshots, {snapshots, scratch.path("elsewhere")}, datastore};
  }
  SweepResult sweep(std::chrono::seconds age) {
    return sweep_unfinished(directory, k3s, place(), *parse_run_id(k_run) + age).value();
  }
};

} // namespace

TEST_CASE_FIXTURE(Fixture, "a snapshot goes through k3s, so that k3s forgets it too") {
  scratch.write("snapshots/" + k_name, "plain");
  CHECK(remove_snapshot(k3s, place(), snapshots, k_name).value());
  CHECK_FALSE(scratch.exists("snapshots/" + k_name));
}

TEST_CASE_FIXTURE(Fixture, "when k3s cannot, exactly that file is unlinked") {
  scratch.write("snapshots/" + k_name, "plain");
  scratch.write("snapshots/" + k_name + "0", "another");
  k3s.works = false;
  CHECK_FALSE(remove_snapshot(k3s, place(), snapshots, k_name).value());
  CHECK_FALSE(scratch.exists("snapshots/" + k_name));
  CHECK(scratch.exists("snapshots/" + k_name + "0"));
}

TEST_CASE_FIXTURE(Fixture,
                  "a copy of an SQLite database goes without asking k3s, which knows none") {
  datastore = datastore::Place::sqlite;
  scratch.write("snapshots/" + k_name, "plain");
  CHECK_FALSE(remove_snapshot(k3s, place(), snapshots, k_name).value());
  CHECK_FALSE(scratch.exists("snapshots/" + k_name));
  CHECK(k3s.calls.empty());
}

TEST_CASE_FIXTURE(Fixture, "a file that is not ours is never removed, by whatever name") {
  for (const char* const name :
       {"etcd-snapshot-vm-1795348336", "../token", "railiance-manual-vm-1", ""}) {
    CHECK(remove_snapshot(k3s, place(), snapshots, name).error().code ==
          ErrorCode::invalid_argument);
  }
  CHECK(k3s.calls.empty());
}

TEST_CASE_FIXTURE(Fixture, "a plaintext is swept in each directory that the server used") {
  scratch.make_directory("elsewhere");
  scratch.write("elsewhere/" + k_name, "plain");
  scratch.write("snapshots/" + k_name, "plain");
  REQUIRE(mark_unfinished(directory, k_run, "vm").has_value());
  CHECK(sweep(std::chrono::seconds(1)).removed.size() == 2);
  CHECK_FALSE(scratch.exists("elsewhere/" + k_name));
  CHECK_FALSE(scratch.exists("snapshots/" + k_name));
}

TEST_CASE_FIXTURE(Fixture, "what cannot be looked at, or removed, keeps no plaintext of others") {
  const std::string later = "railiance-20261123T115200Z-vm-1795434736";
  scratch.write("elsewhere", "no directory");
  scratch.write("snapshots/" + k_name, "plain");
  scratch.write("snapshots/" + later, "plain");
  REQUIRE(mark_unfinished(directory, k_run, "vm"));
  REQUIRE(mark_unfinished(directory, "20261123T115200Z", "vm"));
  const auto swept =
      sweep_unfinished(directory, k3s, place(), *parse_run_id(k_run) + k_settle_time);
  CHECK_FALSE(swept);
  CHECK_FALSE(scratch.exists("snapshots/" + k_name));
  CHECK_FALSE(scratch.exists("snapshots/" + later));
  CHECK(unfinished_runs(directory).value().size() == 2);
}

TEST_CASE_FIXTURE(Fixture, "an artifact that nobody can remove keeps no plaintext") {
  const std::string artifact = "backups/kubeconfig-" + k_run + ".yaml.age";
  scratch.write(artifact, "x");
  scratch.write("snapshots/" + k_name, "plain");
  REQUIRE(mark_unfinished(directory, k_run, "vm"));
  const test::Immutable immutable(scratch.path(artifact));
  if (!immutable.holds()) {
    MESSAGE("NOT RUN: no file can be made immutable here");
    return;
  }
  CHECK_FALSE(sweep_unfinished(directory, k3s, place(), *parse_run_id(k_run) + k_settle_time));
  CHECK_FALSE(scratch.exists("snapshots/" + k_name));
}

TEST_CASE_FIXTURE(Fixture, "only runs with a marker are swept, and theirs completely") {
  scratch.write("snapshots/" + k_name, "plain");
  scratch.write("snapshots/" + k_name + ".part", "plain");
  scratch.write("snapshots/railiance-20261122T115201Z-vm-1", "somebody else's run");
  scratch.write("snapshots/etcd-snapshot-vm-1795348336", "k3s's own");
  REQUIRE(mark_unfinished(directory, k_run, "vm"));
  const auto swept = sweep(std::chrono::seconds(5));
  CHECK(swept.removed.size() == 2);
  CHECK_FALSE(scratch.exists("snapshots/" + k_name));
  CHECK_FALSE(scratch.exists("snapshots/" + k_name + ".part"));
  CHECK(scratch.exists("snapshots/railiance-20261122T115201Z-vm-1"));
  CHECK(scratch.exists("snapshots/etcd-snapshot-vm-1795348336"));
}

TEST_CASE_FIXTURE(Fixture, "a marker stays while a late file may come, and then goes") {
  REQUIRE(mark_unfinished(directory, k_run, "vm"));
  REQUIRE(mark_unfinished(directory, k_run, "vm"));
  CHECK(sweep(std::chrono::seconds(5)).remaining == std::vector<std::string>{k_run});
  scratch.write("snapshots/" + k_name, "late");
  CHECK(sweep(std::chrono::seconds(60)).removed == std::vector<std::string>{k_name});
  CHECK(sweep(k_settle_time).remaining.empty());
  CHECK(unfinished_runs(directory).value().empty());
}

TEST_CASE_FIXTURE(Fixture, "artifacts of a run without manifest go, those of a whole set stay") {
  const std::string artifact = "backups/kubeconfig-" + k_run + ".yaml.age";
  REQUIRE(mark_unfinished(directory, k_run, "vm"));
  scratch.write(artifact, "x");
  scratch.write("backups/manifest-" + k_run + ".json", "{}");
  CHECK(sweep(std::chrono::seconds(5)).cut_off.empty());
  CHECK(scratch.exists(artifact));
  std::filesystem::remove(scratch.path("backups/manifest-" + k_run + ".json"));
  CHECK(sweep(std::chrono::seconds(5)).cut_off == std::vector<std::string>{k_run});
  CHECK_FALSE(scratch.exists(artifact));
}

// On a NAS that is mounted on each server, where a lock is seen on one host only.
TEST_CASE_FIXTURE(Fixture, "where another server makes a set in the same directory, it is named") {
  const SystemTime start = *parse_run_id(k_run);
  CHECK(check_alone(directory, "vm", start));
  REQUIRE(mark_unfinished(directory, k_run, "vm-2"));
  for (const auto age : {std::chrono::seconds(-60), std::chrono::seconds(5)}) {
    const Status alone = check_alone(directory, "vm", start + age);
    REQUIRE_FALSE(alone);
    CHECK(alone.error().code == ErrorCode::busy);
    CHECK(alone.error().message.find("server vm-2 makes a set in the same directory") !=
          std::string::npos);
    CHECK(alone.error().hint.find("a directory of its own") != std::string::npos);
  }
  CHECK(check_alone(directory, "vm-2", start));
  CHECK(check_alone(directory, "vm", start + k_other_server_time)); // it died, and stays away
  const Status marked = mark_unfinished(directory, k_run, "vm");
  REQUIRE_FALSE(marked);
  CHECK(marked.error().code == ErrorCode::busy);
  CHECK(mark_unfinished(directory, k_run, "vm-2"));
}

TEST_CASE_FIXTURE(Fixture, "a marker that names no node is anybody's") {
  scratch.write("backups/.unfinished-" + k_run, "");
  CHECK(check_alone(directory, "vm", *parse_run_id(k_run)));
  CHECK(mark_unfinished(directory, k_run, "vm"));
}

TEST_CASE("cut_off_runs: marks, and artifacts without a manifest; no set that is going, no kit") {
  const std::vector<DirectoryEntry> entries{{"etcd-20261122T020000Z.snap.age", true},
                                            {"manifest-20261122T020000Z.json", true},
                                            {"etcd-20261123T020000Z.snap.age", true},
                                            {"host-state-20261123T020000Z.tar.gz.age", true},
                                            {"etcd-20261121T020000Z.snap.age", true},
                                            {"manifest-20261121T020000Z.json.removing", true},
                                            {"RESTORE.md", true},
                                            {"backup.log", true},
                                            {"etcd-today.snap", true}};
  CHECK(cut_off_runs(entries, {}) == std::vector<std::string>{"20261123T020000Z"});
  CHECK(cut_off_runs(entries, {"20261124T020000Z", "20261122T020000Z"}) ==
        std::vector<std::string>{"20261123T020000Z", "20261124T020000Z"});
}
