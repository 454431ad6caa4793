#include "fake_host.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

#include <algorithm>

using namespace rb;
using namespace rb::cluster;
using test::Crash;
using test::FakeHost;

namespace {

unsigned mode_of(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 0777U : 0;
}

void check_restored(const FakeHost& host, const Outcome& outcome) {
  INFO(outcome.message);
  CHECK(outcome.code == ExitCode::done);
  CHECK(host.data() == "restored");
  CHECK(host.running());
  CHECK_FALSE(host.left_by_the_reset);
  CHECK_FALSE(host.scratch.exists("data/railiance-restore/snapshot"));
}

/// As if the entry "reset is complete" had been lost.
void cut_off_in_the_reset(FakeHost& host) {
  CHECK(host.cut_off_before(Step::start));
  const Journal journal(host.data_dir() + "/railiance-restore");
  JournalState state = **journal.load();
  state.completed.pop_back();
  REQUIRE(journal.save(state));
}

} // namespace

namespace {

/// What the API says of the node of the restored server.
std::string node_that_was_ready_at(const std::string& time) {
  return R"({"status":{"conditions":[{"type":"MemoryPressure","status":"False"},)"
         R"({"type":"Ready","status":"True","lastHeartbeatTime":")" +
         time + "\"}]}}";
}

} // namespace

TEST_CASE("an API that is ready beside a kubelet that is not: that is said, and no failure") {
  for (const bool ready : {true, false}) {
    CAPTURE(ready);
    FakeHost host;
    host.started = "2026-11-22T03:00:00Z";
    host.k3s_says = "kubelet exited: invalid kernel flag: vm/overcommit_memory";
    host.before_start = [&] { host.scratch.write("data/server/db/etcd/name", "one-1a2b3c4d"); };
    host.answers = [&](const ProcessSpec& spec) -> std::optional<ProcessResult> {
      if (std::ranges::find(spec.arguments, "--raw=/api/v1/nodes/one") == spec.arguments.end()) {
        return std::nullopt;
      }
      ProcessResult result;
      result.exit_status = 0; // the snapshot has the node as it was
      result.out = node_that_was_ready_at(ready ? "2026-11-22T03:00:20Z" : "2026-11-22T01:59:50Z");
      return result;
    };
    CHECK(host.execute().code == ExitCode::done);
    CHECK((host.lines.find("the node one is not Ready; k3s says: kubelet exited: invalid kernel") !=
           std::string::npos) == !ready);
  }
}

TEST_CASE("a restored server that answers now and then is waited for; one without a node is not") {
  for (const bool node : {true, false}) {
    CAPTURE(node);
    FakeHost host;
    host.before_start = [&] { host.scratch.write("data/server/db/etcd/name", "one-1a2b3c4d"); };
    int asked = 0;
    host.answers = [&](const ProcessSpec& spec) -> std::optional<ProcessResult> {
      if (std::ranges::find(spec.arguments, "--raw=/api/v1/nodes/one") == spec.arguments.end()) {
        return std::nullopt;
      }
      ProcessResult result;
      result.exit_status = 1;
      result.err = node ? "The connection to the server was refused"
                        : "Error from server (NotFound): nodes \"one\" not found";
      ++asked;
      return result;
    };
    CHECK(host.execute().code == ExitCode::done);
    CHECK((host.lines.find("is not Ready; the log of k3s") != std::string::npos) == node);
    CHECK((asked > 10) == node);
  }
}

TEST_CASE("a restore in place: decrypt, stop, reset, start, and nothing decrypted is left") {
  FakeHost host;
  host.before_step = [&](Step step) {
    CHECK(host.running() == (step <= Step::stop || step > Step::start));
  };
  check_restored(host, host.execute());
  CHECK(host.token_seen.empty());
  CHECK(mode_of(host.data_dir() + "/railiance-restore") == 0700);
  CHECK(mode_of(host.data_dir() + "/railiance-restore/journal.json") == 0600);
  CHECK(host.scratch.read("data/railiance-restore/journal.json").find("K10") == std::string::npos);
}

TEST_CASE("a bare host: token in the environment, files back, but no certificates of theirs") {
  FakeHost host(true);
  check_restored(host, host.execute());
  CHECK(host.token_seen == "K10a::server:same");
  CHECK(host.scratch.read("data/server/token") == "K10a::server:same\n");
  CHECK(host.scratch.read("data/server/manifests/mine.yaml") == "kind: ConfigMap");
  CHECK(host.scratch.read("root/etc/rancher/k3s/config.yaml") == "node-name: one");
  CHECK(host.scratch.exists("root/etc/systemd/system/k3s.service"));
  CHECK_FALSE(host.scratch.exists("root/etc/passwd"));
  CHECK(mode_of(host.data_dir() + "/server") == 0700);
}

TEST_CASE("a bare host gets the product's image, where k3s takes it in before it is started") {
  constexpr const char* k_image = "data/agent/images/railiance-backup-image.tar";
  FakeHost host(true);
  host.before_start = [&] { CHECK(host.scratch.read(k_image) == "of the kit"); };
  check_restored(host, host.execute());
  CHECK(host.lines.find("k3s takes it in at its start") != std::string::npos);

  FakeHost in_place;
  check_restored(in_place, in_place.execute());
  CHECK_FALSE(in_place.scratch.exists(k_image));
}

TEST_CASE("no image, or one that cannot be put there, is said and fails no restore") {
  FakeHost without(true);
  without.image.clear();
  check_restored(without, without.execute());
  CHECK(without.lines.find("the kit holds none): there are no backups until") != std::string::npos);

  FakeHost full(true);
  full.image_fails = true;
  check_restored(full, full.execute());
  CHECK(full.lines.find("no space left on device): there are no backups until") !=
        std::string::npos);
}

TEST_CASE("a crash before each step, in place and bare: the same command ends the restore") {
  for (const bool bare : {false, true}) {
    for (const Step at : k_steps) {
      FakeHost host(bare);
      if (at == Step::put_back && !bare) {
        continue;
      }
      CAPTURE(std::string(word_of(at)));
      CHECK(host.cut_off_before(at));
      check_restored(host, host.resume());
    }
  }
}

TEST_CASE("a restore that was killed while k3s copies a large snapshot: its reset is waited for") {
  FakeHost host;
  host.before_reset = [] { throw Crash(); };
  CHECK_THROWS_AS(static_cast<void>(host.execute()), Crash);
  host.before_reset = nullptr;
  host.orphan_until = std::chrono::minutes(2);
  check_restored(host, host.resume());
  CHECK(host.lines.find("waiting for a k3s server process to end: 4711\n") != std::string::npos);
}

TEST_CASE(
    "a crash in the middle of the reset: it is done again, and the way back finds the original") {
  FakeHost host;
  cut_off_in_the_reset(host);
  check_restored(host, host.resume());
  CHECK(host.scratch.exists("data/server/db/etcd-old-201"));
  CHECK(host.roll_back().rolled_back);
  CHECK(host.data() == "old");
}

TEST_CASE("a reset in the second of one that was cut off is made in the next one") {
  FakeHost host;
  host.taken_seconds = 2;
  const Outcome outcome = host.execute();
  check_restored(host, outcome);
  CHECK(host.roll_back().rolled_back);
  CHECK(host.data() == "old");
}

TEST_CASE("nothing is concluded from the token and the kubeconfig that a reset leaves") {
  FakeHost host(true);
  cut_off_in_the_reset(host);
  CHECK_FALSE(host.scratch.exists("root/etc/rancher/k3s/k3s.yaml"));
  check_restored(host, host.resume());
  CHECK(host.token_at_reset == "K10a::server:same\n");
}

TEST_CASE("a full disk is noticed while the cluster still runs") {
  FakeHost host;
  host.decrypt_fails = true;
  const Outcome outcome = host.execute();
  CHECK(outcome.code == ExitCode::failed);
  CHECK(outcome.rolled_back);
  CHECK(host.running());
  CHECK(host.calls == std::vector<std::string>{"decrypt"});
  CHECK_FALSE(host.scratch.exists("data/railiance-restore"));
}

TEST_CASE("a server process that is left: busy, and the service runs again") {
  FakeHost host;
  host.process_left = true;
  host.before_step = [&](Step step) { CHECK(step <= Step::stop); };
  const Outcome outcome = host.execute();
  CHECK(outcome.code == ExitCode::busy);
  CHECK(outcome.message.find("4711") != std::string::npos);
  CHECK(outcome.rolled_back);
  CHECK(host.running());
  CHECK(host.data() == "old");
  CHECK(host.calls == std::vector<std::string>{"decrypt", "stop", "stop", "start"});
}

TEST_CASE("a server that goes on for a while when its service has stopped is waited for") {
  FakeHost host; // of k3s with `log:`
  host.after_stop = [&host] { host.orphan_until = host.now() + std::chrono::seconds(40); };
  CHECK(host.execute().code == ExitCode::done);
  CHECK(host.lines.find("waiting for a k3s server process to end: 4711\n") != std::string::npos);
}

TEST_CASE("objects that are missing are named; the cluster stays up") {
  FakeHost host;
  host.configmaps = 2;
  const Outcome outcome = host.execute();
  CHECK(outcome.code == ExitCode::incomplete);
  CHECK(outcome.objects.missing.first == std::vector<std::string>{"configmaps shop/c"});
  CHECK(host.running());
}

TEST_CASE("a payload and a node password that went meanwhile are not missing") {
  FakeHost host; // the snapshot holds them, the server no more
  const Outcome outcome = host.execute();
  CHECK(outcome.code == ExitCode::done);
  CHECK(outcome.objects.differences.empty());
  CHECK(outcome.objects.passing.count == 2);
}

TEST_CASE("where the objects cannot be asked for the cluster stays up, and it can be repeated") {
  FakeHost host;
  host.api_fails = true;
  const Outcome outcome = host.execute();
  CHECK(outcome.code == ExitCode::failed);
  CHECK(outcome.message.find("HTTP 503") != std::string::npos);
  CHECK(outcome.hint == "repeat with --resume");
  CHECK(host.running());
  host.api_fails = false;
  CHECK(host.resume().code == ExitCode::done);
}

TEST_CASE("a server that ends instead of getting ready: its own last word, and what to do") {
  FakeHost host;
  host.ends_at_start = true;
  host.k3s_says = "starting kubernetes: listen tcp 192.0.2.10:2380: bind: cannot assign requested "
                  "address";
  const Outcome outcome = host.execute();
  CHECK(outcome.rolled_back);
  CHECK(outcome.message == "k3s has ended instead of getting ready: " + host.k3s_says);
  CHECK(outcome.hint.find("--set-address OLD=NEW") != std::string::npos);
  CHECK(host.data() == "old");
}

TEST_CASE("a server that ends again and again, and is started each time, is not waited for") {
  FakeHost host; // by its unit, `Restart=always`: for systemd it is active all the time
  host.ends_again = true;
  host.k3s_says = "starting kubernetes: no such network interface";
  const Outcome outcome = host.execute();
  CHECK(outcome.rolled_back);
  CHECK(outcome.message == "k3s ends again and again instead of getting ready: " + host.k3s_says);
  CHECK(outcome.hint.find("--set-interface OLD=NEW") != std::string::npos);
  CHECK(host.data() == "old");
  CHECK(host.running());
}

TEST_CASE("a server with files that were rotated since: how k3s gets those of the backup") {
  FakeHost host;
  host.never_ready = true;
  host.k3s_says = "/data/server/cred/encryption-config.json newer than datastore and could cause a "
                  "cluster outage. Remove the file(s) from disk and restart to be recreated from "
                  "datastore.";
  CHECK(host.execute().hint.starts_with("move the files that the log names aside"));
}

TEST_CASE("a server whose address is not that of its etcd member: how both get the same") {
  FakeHost host;
  host.never_ready = true;
  host.k3s_says = "Failed to test etcd connection: this server is a not a member of the etcd "
                  "cluster. Found [one-1a2b3c4d=https://192.0.2.10:2380], expect: "
                  "one-1a2b3c4d=https://100.64.0.7:2380";
  CHECK(host.execute().hint.find("write the one that it expects as `node-ip`") !=
        std::string::npos);
}

TEST_CASE(
    "a server that is started again and again: its last word comes with the time that passed") {
  FakeHost host;
  host.never_ready = true;
  host.k3s_says = "flannel: no such network interface";
  const Outcome outcome = host.execute();
  CHECK(outcome.message.starts_with("the API is not ready after "));
  CHECK(outcome.message.ends_with(": " + host.k3s_says));
  CHECK(outcome.hint.find("--set-interface OLD=NEW") != std::string::npos);
}
