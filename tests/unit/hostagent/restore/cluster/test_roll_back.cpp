#include "fake_host.hpp"
#include "restore/cluster/file_changes.hpp"
#include "support/bolt_builder.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>

using namespace rb;
using namespace rb::cluster;
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

/// Paths below `root` with their kinds and contents.
std::map<std::string, std::string> tree(const std::string& root) {
  std::map<std::string, std::string> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    std::string content = "directory";
    if (entry.is_regular_file()) {
      std::ifstream in(entry.path());
      content.assign(std::istreambuf_iterator<char>(in), {});
    }
    found[entry.path().lexically_relative(root).string()] = content;
  }
  return found;
}

/// As an etcd lies on the disk that is spread over that many servers.
void put_members(const FakeHost& host, const std::string& directory, std::size_t count) {
  REQUIRE(remove_path(host.scratch.path(directory + "/member")));
  auto buckets = test::etcd_buckets({{test::revision_key(2, 0), test::key_value("/registry/x")}});
  buckets["members"].clear();
  for (std::size_t i = 1; i <= count; ++i) {
    const std::string number = std::to_string(i);
    buckets["members"].emplace_back("a" + number,
                                    R"({"name":"s)" + number + R"(-0000000)" + number + "\"}");
  }
  host.scratch.write(directory + "/member/snap/db", std::string(as_text(test::make_bolt(buckets))));
}

} // namespace

TEST_CASE("a restore that other servers have rejoined is not undone before they are") {
  FakeHost host;
  REQUIRE(host.execute().code == ExitCode::done);
  const std::string before = (**Journal(host.data_dir() + "/railiance-restore").load()).original;
  REQUIRE_FALSE(before.empty());
  put_members(host, "data/server/db/" + before, 3);
  put_members(host, "data/server/db/etcd", 2);
  host.calls.clear();
  const Outcome refused = host.roll_back();
  CHECK_FALSE(refused.rolled_back);
  CHECK(refused.code == ExitCode::busy);
  CHECK(refused.hint.find("railiance-restore rejoin --rollback") != std::string::npos);
  CHECK(host.calls.empty());

  put_members(host, "data/server/db/etcd", 1); // they have gone back
  const Outcome outcome = host.roll_back();
  INFO(outcome.message);
  CHECK(outcome.rolled_back);
  CHECK(host.lines.find("that of 3 servers: start k3s on the others, too") != std::string::npos);
}

TEST_CASE("servers that joined a cluster of one since its restore keep nobody from going back") {
  FakeHost host;
  REQUIRE(host.execute().code == ExitCode::done);
  const std::string before = (**Journal(host.data_dir() + "/railiance-restore").load()).original;
  put_members(host, "data/server/db/" + before, 1);
  put_members(host, "data/server/db/etcd", 2);
  CHECK(host.roll_back().rolled_back);
}

TEST_CASE("a database of before that somebody removed: nothing is moved, and none is called old") {
  for (const api::DatastoreKind kind : {api::DatastoreKind::etcd, api::DatastoreKind::sqlite}) {
    CAPTURE(std::string(word_of(kind)));
    FakeHost host(false, kind);
    REQUIRE(host.execute().code == ExitCode::done);
    const JournalState state = **Journal(host.data_dir() + "/railiance-restore").load();
    REQUIRE_FALSE(state.original.empty());
    const std::string old = host.data_dir() + "/server/db/" + state.original;
    std::filesystem::rename(old, old + "-elsewhere");
    host.calls.clear();
    host.lines.clear();
    const Outcome outcome = host.roll_back();
    CHECK_FALSE(outcome.rolled_back);
    CHECK(outcome.code == ExitCode::nothing_to_restore);
    CHECK(outcome.message.find(old) != std::string::npos);
    CHECK(host.calls.empty());
    CHECK(host.lines.find("rolled back") == std::string::npos);
    CHECK(host.data() == "restored");
    std::filesystem::rename(old + "-elsewhere", old);
    CHECK(host.roll_back().rolled_back);
    CHECK(host.data() == "old");
  }
}

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

TEST_CASE("a bare host that failed is as it was, to the last file and directory") {
  for (const Step at :
       {Step::decrypt, Step::save_state, Step::put_back, Step::reset, Step::ready}) {
    for (const bool lived_in : {false, true}) {
      CAPTURE(std::string(word_of(at)));
      CAPTURE(lived_in);
      FakeHost host(true);
      if (lived_in) { // what somebody laid out for the server to come
        host.scratch.write("data/server/manifests/own.yaml", "of the operator");
        host.scratch.write("data/storage/volume/file", "of the operator");
        host.scratch.write("data/server/db/notes", "of the operator");
        host.scratch.write("data/agent/images/own.tar", "of the operator");
        host.scratch.write("root/etc/rancher/k3s/registries.yaml", "of the operator");
      }
      const auto before = tree(host.scratch.path(""));
      host.before_step = [&](Step step) {
        if (step == at) {
          host.stopped.request_stop();
        }
      };
      host.reset_fails_late = at == Step::reset;
      host.never_ready = true;
      CHECK(host.execute().rolled_back);
      CHECK(tree(host.scratch.path("")) == before);
    }
  }
}

TEST_CASE("links and directories in the way of a bare host's files stop nothing, and come back") {
  FakeHost host(true);
  host.scratch.write("elsewhere/config.yaml", "of the operator");
  host.scratch.write("root/etc/systemd/system/k3s.service/a-directory", "of the operator");
  const std::string link = host.scratch.path("root/etc/rancher/k3s/config.yaml");
  std::filesystem::create_directories(std::filesystem::path(link).parent_path());
  std::filesystem::create_symlink("../../../../elsewhere/config.yaml", link);
  const auto before = tree(host.scratch.path(""));
  host.never_ready = true;
  CHECK(host.execute().rolled_back);
  CHECK(std::filesystem::is_symlink(link));
  CHECK(tree(host.scratch.path("")) == before);
  host.never_ready = false;
  CHECK(host.execute().code == ExitCode::done);
  CHECK_FALSE(std::filesystem::is_symlink(link));
  CHECK(host.scratch.read("elsewhere/config.yaml") == "of the operator");
}

TEST_CASE("what cannot be taken away again on a bare host is named") {
  FakeHost host(true);
  host.with_node = true; // containers may run from there
  host.never_ready = true;
  CHECK(host.execute().rolled_back);
  CHECK(host.lines.find("the host is as it was but for " + host.data_dir() + "/agent") !=
        std::string::npos);
}

TEST_CASE("a bare host's restore that succeeded is undone, and its database is kept aside") {
  FakeHost host(true);
  REQUIRE(host.execute().code == ExitCode::done);
  host.scratch.write("data/server/db/etcd/member", "weeks later");
  CHECK(host.roll_back().rolled_back);
  CHECK(host.scratch.read("data/server/db/etcd-failed-1800000000/member") == "weeks later");
  CHECK_FALSE(host.scratch.exists("data/server/token"));
  CHECK_FALSE(host.scratch.exists("data/server/manifests"));
  CHECK_FALSE(host.scratch.exists("data/railiance-restore"));
  CHECK(host.lines.find("as it was but for " + host.data_dir() +
                        "/server/db/etcd-failed-1800000000\n") != std::string::npos);
}

TEST_CASE("a restore that fails, wherever it does, leaves the way back of the one before it") {
  for (const Step at : {Step::decrypt, Step::stop, Step::save_state, Step::reset, Step::ready}) {
    for (const bool crashed : {false, true}) {
      CAPTURE(std::string(word_of(at)));
      CAPTURE(crashed);
      if (at == Step::decrypt && crashed) {
        continue; // the first entry is not written yet: the way back is that of the first
      }
      FakeHost host;
      REQUIRE(host.execute().code == ExitCode::done);
      host.scratch.write("data/server/tls/ca.crt", "of the first");
      if (crashed) {
        CHECK(host.cut_off_before(at));
        CHECK(host.roll_back().rolled_back);
      } else {
        host.before_step = [&](Step step) {
          if (step == at) {
            host.stopped.request_stop();
          }
        };
        host.decrypt_fails = at == Step::decrypt;
        CHECK(host.execute().rolled_back);
        host.before_step = nullptr;
      }
      CHECK(host.data() == "restored");
      CHECK(host.scratch.read("data/server/tls/ca.crt") == "of the first");
      CHECK_FALSE(host.scratch.exists("data/railiance-restore/saved-2"));
      CHECK(host.roll_back().rolled_back);
      check_as_before(host);
    }
  }
}

TEST_CASE("once another restore has succeeded, the way back leads to before that one") {
  FakeHost host;
  REQUIRE(host.execute().code == ExitCode::done);
  host.scratch.write("data/server/db/etcd/member", "of the first");
  REQUIRE(host.execute().code == ExitCode::done);
  CHECK(host.roll_back().rolled_back);
  CHECK(host.data() == "of the first");
  CHECK(host.roll_back().rolled_back); // again: there is nothing more to go back from
  CHECK(host.data() == "of the first");
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
    CAPTURE(std::string(word_of(at)));
    FakeHost host;
    CHECK(host.cut_off_before(at));
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
    CAPTURE(std::string(word_of(at)));
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
