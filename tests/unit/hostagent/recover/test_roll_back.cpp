#include "fake_host.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::recover;
using test::Crash;
using test::FakeHost;

namespace {

/// The host of before: data, certificates, credentials; and it runs.
void check_as_before(const FakeHost& host) {
  CHECK(host.data() == "old");
  CHECK(host.running());
  CHECK(host.scratch.read("data/server/tls/ca.crt") == "old ca");
  CHECK(host.scratch.read("data/server/cred/passwd") == "old passwd");
  CHECK(host.scratch.read("data/server/token") == "K10a::server:same\n");
  CHECK(host.scratch.read("data/server/db/etcd-old-100/member") == "ancient");
  CHECK_FALSE(host.scratch.exists("data/server/db/reset-flag"));
  CHECK_FALSE(host.scratch.exists("data/railiance-restore/snapshot"));
}

} // namespace

TEST_CASE("a reset that fails before it moves anything: the database stays where it is") {
  FakeHost host;
  host.reset_fails_early = true;
  const Outcome outcome = host.execute();
  CHECK(outcome.code == ExitCode::failed);
  CHECK(outcome.rolled_back);
  CHECK(outcome.message.find("it failed") != std::string::npos);
  check_as_before(host);
}

TEST_CASE("a reset that fails after it moved the database (a wrong token does): it comes back") {
  FakeHost host;
  host.reset_fails_late = true;
  const Outcome outcome = host.execute();
  CHECK(outcome.code == ExitCode::failed);
  CHECK(outcome.rolled_back);
  check_as_before(host);
  CHECK(host.scratch.exists("data/server/db/etcd-failed-1800000000"));
}

TEST_CASE("a restored server that never gets ready: the old cluster runs again, and it is said") {
  FakeHost host;
  host.never_ready = true;
  const Outcome outcome = host.execute();
  CHECK(outcome.code == ExitCode::failed);
  CHECK(outcome.rolled_back);
  CHECK(outcome.message.find("not ready") != std::string::npos);
  CHECK(host.lines.find("the old cluster runs again") != std::string::npos);
  check_as_before(host);
}

TEST_CASE("a restore that succeeded can be undone, once") {
  FakeHost host;
  REQUIRE(host.execute().code == ExitCode::done);
  CHECK(host.roll_back().rolled_back);
  check_as_before(host);
  // Again: nothing is moved away that was moved back.
  CHECK(host.roll_back().rolled_back);
  check_as_before(host);
}

TEST_CASE("a bare host is bare again: no half of a cluster stays behind") {
  FakeHost host(true);
  host.never_ready = true;
  const Outcome outcome = host.execute();
  CHECK(outcome.code == ExitCode::failed);
  CHECK(outcome.rolled_back);
  CHECK_FALSE(host.running());
  for (const char* const path : {"data/server/token",
                                 "data/server/tls",
                                 "data/server/db/etcd",
                                 "data/server/manifests/mine.yaml",
                                 "root/etc/rancher/k3s/config.yaml",
                                 "root/etc/rancher/k3s/k3s.yaml",
                                 "root/etc/systemd/system/k3s.service"}) {
    CAPTURE(path);
    CHECK_FALSE(host.scratch.exists(path));
  }
}

TEST_CASE("files of the host that were replaced come back") {
  FakeHost host(true);
  host.scratch.write("root/etc/rancher/k3s/config.yaml", "node-name: other");
  host.reset_fails_late = true;
  CHECK(host.execute().rolled_back);
  CHECK(host.scratch.read("root/etc/rancher/k3s/config.yaml") == "node-name: other");
}

TEST_CASE(
    "cut at each step, resumed, and rolled back again and again: the old database comes back") {
  for (const Step at : k_steps) {
    if (at == Step::put_back) {
      continue; // of bare hosts
    }
    CAPTURE(std::string(to_string(at)));
    FakeHost host;
    host.before_step = [&](Step step) {
      if (step == at) {
        throw Crash();
      }
    };
    CHECK_THROWS_AS(static_cast<void>(host.execute()), Crash);
    host.before_step = nullptr;
    const Journal journal(host.data_dir() + "/railiance-restore");
    if (at == Step::start) { // as if the entry "reset is complete" had been lost: it is repeated
      JournalState state = **journal.load();
      state.completed.pop_back();
      state.original.clear(); // and the name was not noted
      REQUIRE(journal.save(state));
    }
    CHECK(host.resume().code == ExitCode::done);
    CHECK(host.data() == "restored");
    host.start_crashes = true; // the database is back already
    CHECK_THROWS_AS(static_cast<void>(host.roll_back()), Crash);
    CHECK(host.data() == "old");
    host.start_crashes = false;
    for (int times = 0; times < 3; ++times) {
      CHECK(host.roll_back().rolled_back);
      check_as_before(host);
    }
  }
}

TEST_CASE("told to stop, a restore goes back; before it touched anything it only ends") {
  for (const Step at : {Step::decrypt, Step::stop, Step::save_state, Step::reset, Step::ready}) {
    CAPTURE(std::string(to_string(at)));
    FakeHost host;
    host.before_step = [&](Step step) {
      if (step == at) {
        host.stopped.request_stop();
      }
    };
    const Outcome outcome = host.execute();
    CHECK(outcome.code == exit_code_for(ErrorCode::cancelled));
    CHECK(outcome.rolled_back);
    check_as_before(host);
  }
}

TEST_CASE("a crash on the way back: it is gone on with") {
  FakeHost host;
  REQUIRE(host.execute().code == ExitCode::done);
  const Journal journal(host.data_dir() + "/railiance-restore");
  JournalState state = **journal.load();
  state.phase = Phase::rolling_back;
  REQUIRE(journal.save(state));
  // The new database was moved away, the old one not yet back.
  std::filesystem::rename(host.data_dir() + "/server/db/etcd",
                          host.data_dir() + "/server/db/etcd-failed-1");
  CHECK(host.resume().rolled_back);
  check_as_before(host);
}
