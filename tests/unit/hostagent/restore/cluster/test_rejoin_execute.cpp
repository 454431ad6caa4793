// Holds: the steps of a rejoin, cut off and failed at each of them, and its way back.
#include "joining_host.hpp"
#include "restore/cluster/file_changes.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace rb;
using namespace rb::cluster;
using test::Crash;
using test::JoiningHost;

namespace {

void check_joined(const JoiningHost& joining, const Outcome& outcome) {
  INFO(outcome.message);
  CHECK(outcome.code == ExitCode::done);
  CHECK(joining.data() == "joined");
  CHECK(joining.host.running());
  CHECK(joining.host.scratch.read(JoiningHost::k_drop_in) == "server: https://192.0.2.11:6443\n");
}

/// The host of before: its database, its certificates, no drop-in; k3s is stopped, as it was.
void check_as_before(const JoiningHost& joining) {
  const auto& scratch = joining.host.scratch;
  CHECK(joining.data() == "old");
  CHECK_FALSE(joining.host.running());
  CHECK_FALSE(scratch.exists(JoiningHost::k_drop_in));
  CHECK(scratch.read("data/server/tls/ca.crt") == "old ca");
  CHECK(scratch.read("data/server/cred/passwd") == "old passwd");
  CHECK(scratch.read("data/server/token") == "K10a::server:same\n");
  CHECK(scratch.read("data/server/db/etcd-old-100/member") == "ancient");
}

/// The steps of a rejoin on a host with a database.
std::vector<Step> steps_with_database() {
  std::vector<Step> steps(k_rejoin_steps.begin(), k_rejoin_steps.end());
  std::erase(steps, Step::put_token);
  return steps;
}

} // namespace

TEST_CASE("a rejoin: the database goes aside, what servers share is the restored one's") {
  JoiningHost joining;
  joining.host.scratch.write("data/server/db/snapshots/own", "a snapshot");
  joining.host.scratch.write("data/server/tls/oidc-ca.pem", "of the operator");
  const Outcome outcome = joining.host.execute();
  check_joined(joining, outcome);
  CHECK(outcome.members == 2);
  const auto& scratch = joining.host.scratch;
  CHECK(scratch.read("data/server/db/etcd-old-1800000000/member") == "old");
  CHECK(scratch.read("data/server/db/snapshots/own") == "a snapshot");
  CHECK(scratch.read("data/server/tls/oidc-ca.pem") == "of the operator");
  CHECK(scratch.read("data/server/cred/passwd") == "of the cluster");
  CHECK(joining.host.lines.find("2 of 3 members vote") != std::string::npos);
  CHECK(joining.host.lines.find("holds revision 100") != std::string::npos);
}

TEST_CASE("an empty disk: the token of the set comes back, and none of its configuration") {
  JoiningHost joining(true);
  check_joined(joining, joining.host.execute());
  const auto& scratch = joining.host.scratch;
  CHECK(scratch.read("data/server/token") == "K10a::server:same\n");
  CHECK_FALSE(scratch.exists("root/etc/rancher/k3s/config.yaml"));
  CHECK_FALSE(scratch.exists("root/etc/systemd/system/k3s.service"));
  CHECK_FALSE(scratch.exists("data/server/manifests/mine.yaml"));
}

TEST_CASE("a rejoin that is cut off before each step, on both disks: the same command ends it") {
  for (const bool empty : {false, true}) {
    for (const Step at : k_rejoin_steps) {
      if (at == Step::put_token && !empty) {
        continue;
      }
      CAPTURE(empty);
      CAPTURE(std::string(word_of(at)));
      JoiningHost joining(empty);
      CHECK(joining.host.cut_off_before(at));
      joining.host.lose_processes(); // the power went with it
      check_joined(joining, joining.host.resume());
    }
  }
}

TEST_CASE("a rejoin that is cut off before each step is undone") {
  for (const Step at : steps_with_database()) {
    if (at == Step::stop) {
      continue; // nothing was begun: there is nothing to go back from
    }
    CAPTURE(std::string(word_of(at)));
    JoiningHost joining;
    CHECK(joining.host.cut_off_before(at));
    const Outcome outcome = joining.host.roll_back();
    INFO(outcome.message);
    CHECK(outcome.rolled_back);
    check_as_before(joining);
  }
}

TEST_CASE("a rejoin that is cut off in the midst of its drop-in is undone: no part of it is left") {
  JoiningHost joining;
  CHECK(joining.host.cut_off_before(Step::name_server));
  const std::string part = std::string(JoiningHost::k_drop_in) + ".railiance-part";
  joining.host.scratch.write(part, "server: https://192.0.");
  CHECK(joining.host.roll_back().rolled_back);
  check_as_before(joining);
  CHECK_FALSE(joining.host.scratch.exists(part));
}

TEST_CASE("a cut in the midst of the move: the database is moved once, and found again") {
  for (const bool back : {false, true}) {
    CAPTURE(back);
    JoiningHost joining;
    CHECK(joining.host.cut_off_before(Step::name_server));
    // As if the entry "set-aside is complete" had been lost.
    const Journal journal(joining.host.data_dir() + "/railiance-restore");
    JournalState state = **journal.load();
    state.completed.pop_back();
    state.current = Step::set_aside;
    state.original.clear();
    REQUIRE(journal.save(state));
    if (back) {
      CHECK(joining.host.roll_back().rolled_back);
      check_as_before(joining);
    } else {
      check_joined(joining, joining.host.resume());
      CHECK(joining.host.roll_back().rolled_back);
      check_as_before(joining);
    }
  }
}

TEST_CASE("k3s that does not get ready, or never votes: the host is as it was") {
  for (const bool ready : {false, true}) {
    CAPTURE(ready);
    JoiningHost joining;
    joining.starts = ready;
    joining.learner_for = -1;
    joining.host.k3s_says = "token CA hash does not match the Cluster CA certificate hash";
    const Outcome outcome = joining.host.execute();
    CHECK(outcome.code == ExitCode::failed);
    CHECK(outcome.rolled_back);
    CHECK(outcome.message.ends_with(joining.host.k3s_says));
    check_as_before(joining);
    CHECK(joining.host.scratch.exists("data/server/db/etcd-failed-1800000000") == true);
  }
}

TEST_CASE("an empty disk on which it failed is empty again") {
  JoiningHost joining(true);
  joining.learner_for = -1;
  CHECK(joining.host.execute().rolled_back);
  CHECK_FALSE(joining.host.running());
  for (const char* const path : {"data/server/token", "data/server/tls", JoiningHost::k_drop_in}) {
    CAPTURE(path);
    CHECK_FALSE(joining.host.scratch.exists(path));
  }
}

TEST_CASE("told to stop while it waits for its vote: it goes back") {
  JoiningHost joining;
  joining.learner_for = -1;
  joining.host.before_step = [&](Step step) {
    if (step == Step::join) {
      joining.host.stopped.request_stop();
    }
  };
  const Outcome outcome = joining.host.execute();
  CHECK(outcome.rolled_back);
  check_as_before(joining);
}

TEST_CASE("a server that is behind is waited for") {
  JoiningHost joining;
  joining.ahead = 5;
  check_joined(joining, joining.host.execute());
  CHECK(joining.ahead == 0);
}

TEST_CASE("a Node that the kubelet does not bring back is said, with what to do") {
  for (const bool heard : {true, false}) {
    CAPTURE(heard);
    JoiningHost joining;
    joining.heartbeat = heard ? "2026-11-23T00:00:00Z" : "2026-11-22T01:59:00Z"; // of the snapshot
    joining.host.started = "2026-11-22T12:00:00Z";
    check_joined(joining, joining.host.execute());
    CHECK((joining.host.lines.find("delete secret two.node-password.k3s") != std::string::npos) ==
          !heard);
  }
}

TEST_CASE("the way back of a host that votes takes its member out first") {
  JoiningHost joining;
  REQUIRE(joining.host.execute().code == ExitCode::done);
  joining.asked.clear();
  const Outcome outcome = joining.host.roll_back();
  INFO(outcome.message);
  CHECK(outcome.rolled_back);
  CHECK(std::ranges::find(joining.asked, "annotate") != joining.asked.end());
  check_as_before(joining);
  // Again: nothing is asked, and nothing is moved.
  CHECK(joining.host.roll_back().rolled_back);
  check_as_before(joining);
}

TEST_CASE("no member is taken out where the database of before is gone") {
  JoiningHost joining;
  REQUIRE(joining.host.execute().code == ExitCode::done);
  REQUIRE(remove_path(joining.host.scratch.path("data/server/db/etcd-old-1800000000")));
  joining.asked.clear();
  const Outcome outcome = joining.host.roll_back();
  CHECK_FALSE(outcome.rolled_back);
  CHECK(outcome.code == ExitCode::nothing_to_restore);
  CHECK(joining.asked.empty());
  CHECK(joining.host.running());
  CHECK(joining.data() == "joined");
}

TEST_CASE("the member is taken out by its Node, whatever that is called") {
  JoiningHost joining;
  joining.node = "two-7f3a9c21"; // with-node-id
  REQUIRE(joining.host.execute().code == ExitCode::done);
  const Outcome outcome = joining.host.roll_back();
  INFO(outcome.message);
  CHECK(outcome.rolled_back);
  check_as_before(joining);
}

TEST_CASE("a way back that is cut off goes on: the member has left before anything is moved") {
  for (const bool resumed : {false, true}) {
    CAPTURE(resumed);
    JoiningHost joining;
    REQUIRE(joining.host.execute().code == ExitCode::done);
    joining.host.after_stop = [] { throw Crash(); };
    CHECK_THROWS_AS(static_cast<void>(joining.host.roll_back()), Crash);
    joining.host.after_stop = nullptr;
    joining.answering = false; // nobody can be asked, and nobody need be
    const Outcome outcome = resumed ? joining.host.resume() : joining.host.roll_back();
    INFO(outcome.message);
    CHECK(outcome.rolled_back);
    check_as_before(joining);
  }
}

TEST_CASE("a way back that is cut off before it is noted goes on where etcd has ended") {
  JoiningHost joining;
  REQUIRE(joining.host.execute().code == ExitCode::done);
  joining.answering = false;
  joining.host.scratch.write("data/server/db/etcd/tombstone", "");
  joining.host.lose_processes();
  const Outcome outcome = joining.host.roll_back();
  INFO(outcome.message);
  CHECK(outcome.rolled_back);
  check_as_before(joining);
}

TEST_CASE("a host that got its vote and lost its server in one moment is not moved back") {
  JoiningHost joining;
  joining.learner_for = 0; // etcd has made it a member already
  joining.ends_asked = true;
  Outcome outcome = joining.host.execute();
  CHECK_FALSE(outcome.rolled_back);
  CHECK(outcome.message.find("voting member of the restored cluster") != std::string::npos);
  CHECK(joining.data() == "joined");
  CHECK_FALSE(joining.host.scratch.exists("root/run/k3s/railiance-rejoin.kubeconfig"));

  joining.ends_asked = false;
  REQUIRE(joining.host.start());
  outcome = joining.host.roll_back();
  INFO(outcome.message);
  CHECK(outcome.rolled_back);
  check_as_before(joining);
}

TEST_CASE("where no server says whether it votes, an unfinished rejoin goes back and says so") {
  JoiningHost joining;
  joining.answering = false;
  joining.ends_asked = true;
  CHECK(joining.host.execute().rolled_back);
  CHECK(joining.host.lines.find("whether this host votes already cannot be asked") !=
        std::string::npos);
  CHECK(joining.host.lines.find("two-0a1b2c3d") != std::string::npos);
  check_as_before(joining);
}

TEST_CASE("a member that cannot be taken out stays: the cluster would wait for its vote") {
  JoiningHost joining;
  REQUIRE(joining.host.execute().code == ExitCode::done);
  joining.has_node = false;
  Outcome outcome = joining.host.roll_back();
  CHECK_FALSE(outcome.rolled_back);
  CHECK(outcome.message.find("voting member") != std::string::npos);
  CHECK(outcome.message.ends_with("nothing was changed"));
  check_joined(joining, {});

  joining.has_node = true;
  joining.host.lose_processes(); // and while k3s is stopped nobody can take it out
  outcome = joining.host.roll_back();
  CHECK(outcome.code == ExitCode::busy);
  CHECK(joining.data() == "joined");
}
