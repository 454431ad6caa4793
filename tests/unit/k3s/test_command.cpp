#include "k3s/command.hpp"

#include <doctest/doctest.h>

using namespace rb::k3s;
using namespace rb;

namespace {

ResetOrder order() {
  ResetOrder order;
  order.program = "/usr/local/bin/k3s";
  order.data_dir = "/data";
  order.snapshot_path = "/data/railiance-restore/snapshot";
  return order;
}

ProcessResult ended(int status, std::string err) {
  ProcessResult result;
  result.exit_status = status;
  result.err = std::move(err);
  return result;
}

constexpr const char* k_new_form =
    "time=\"2026-11-22T11:52:16Z\" level=error msg=\"Shutdown request received: \\\"Managed etcd "
    "cluster membership has been reset, restart without --cluster-reset flag now. Backup and "
    "delete ${datadir}/server/db on each peer etcd server and rejoin the nodes\\\"\"\n";
constexpr const char* k_old_form =
    "time=\"2025-11-22T11:52:16Z\" level=info msg=\"Managed etcd cluster membership has been "
    "reset, restart without --cluster-reset flag now. Backup and delete\"\n";

} // namespace

TEST_CASE("the version that k3s prints") {
  CHECK(version_in("k3s version v1.34.4+k3s1 (148243c4)\ngo version go1.24\n") == "v1.34.4+k3s1");
  CHECK(version_in("k3s version v1.34.4+standin\n") == "v1.34.4+standin");
  CHECK(version_in("").empty());
  CHECK(version_in("bash: k3s: command not found").empty());
}

TEST_CASE("the token goes into the environment, never into the arguments, and is wiped") {
  ResetOrder with_token = order();
  with_token.token = "K10abc::server:secret";
  with_token.carried = {"--node-name=one"};
  auto spec = reset_spec(with_token);
  REQUIRE(spec);
  CHECK(spec->environment.at("K3S_TOKEN") == "K10abc::server:secret");
  CHECK(spec->arguments ==
        std::vector<std::string>{"server",
                                 "--cluster-reset",
                                 "--cluster-reset-restore-path=/data/railiance-restore/snapshot",
                                 "--data-dir=/data",
                                 "--etcd-s3=false",
                                 "--alsologtostderr", // `log:` in config.yaml hides its last word
                                 "--node-name=one"});
  wipe_token(*spec);
  CHECK(spec->environment.count("K3S_TOKEN") == 0);
  CHECK(reset_spec(order())->environment.count("K3S_TOKEN") == 0);
}

TEST_CASE("nothing of our environment reaches k3s") {
  const auto spec = reset_spec(order());
  for (const auto& [name, value] : spec->environment) {
    CHECK((name == "PATH" || name == "HOME" || name == "LANG" || name == "K3S_DATA_DIR"));
  }
}

TEST_CASE("each command knows where k3s has unpacked its own programs") {
  CHECK(reset_spec(order())->environment.at("K3S_DATA_DIR") == "/data");
  Kubectl kubectl{"/k3s", "/kubeconfig", "/data"};
  CHECK(kubectl_spec(kubectl, {"get"}).environment == environment_in("/data"));
  kubectl.environment = {{"HOME", "/scratch"}};
  CHECK(kubectl_spec(kubectl, {"get"}).environment == kubectl.environment);
}

TEST_CASE("trap: a relative path and a .zip would be looked for elsewhere") {
  ResetOrder relative = order();
  relative.snapshot_path = "snapshot";
  CHECK(reset_spec(relative).error().code == ErrorCode::invalid_argument);
  ResetOrder zip = order();
  zip.snapshot_path = "/data/x.zip";
  CHECK(reset_spec(zip).error().code == ErrorCode::invalid_argument);
}

TEST_CASE("success is exit status 0 and k3s's last word, in both forms") {
  CHECK(judge_reset(ended(0, k_new_form)));
  CHECK(judge_reset(ended(0, k_old_form)));
  CHECK_FALSE(judge_reset(ended(0, "")));
  CHECK_FALSE(judge_reset(ended(1, k_new_form)));
  ProcessResult slow = ended(-1, k_new_form);
  slow.timed_out = true;
  CHECK(judge_reset(slow).error().code == ErrorCode::timeout);
}

TEST_CASE("a reset that does not end says what k3s is waiting for") {
  ProcessResult slow = ended(
      -1,
      "time=\"x\" level=info msg=\"Failed to test etcd connection: context deadline exceeded\"\n"
      "time=\"x\" level=info msg=\"Failed to test etcd connection: failed to defragment etcd "
      "database: write /data/db.tmp: no space left on device\"\n"
      "{\"level\":\"warn\",\"msg\":\"retrying of unary invoker failed\"}\n");
  slow.timed_out = true;
  const auto judged = judge_reset(slow);
  CHECK(judged.error().code == ErrorCode::timeout);
  CHECK(judged.error().message.find("defragment etcd database") != std::string::npos);
  CHECK(judged.error().hint.find("make room") != std::string::npos);
  slow.err.clear();
  CHECK(judge_reset(slow).error().hint.find("--reset-timeout") != std::string::npos);
}

TEST_CASE("a failed reset names k3s's reason and the next step") {
  const auto token = judge_reset(ended(1,
                                       "time=\"x\" level=fatal msg=\"bootstrap data already found "
                                       "and encrypted with different token\"\n"));
  CHECK(token.error().code == ErrorCode::invalid_argument);
  CHECK(token.error().message.find("different token") != std::string::npos);
  CHECK_FALSE(token.error().hint.empty());
  CHECK(judge_reset(ended(1, "level=fatal msg=\"x: no space left on device\"")).error().code ==
        ErrorCode::no_space);
  CHECK(judge_reset(ended(1, "")).error().message.find("exit status 1") != std::string::npos);
}

TEST_CASE("a reset beside an old database of the same second is told from all others") {
  const std::string words = "level=fatal msg=\"starting kubernetes: preparing server: rename "
                            "/data/server/db/etcd /data/server/db/etcd-old-1795998435: ";
  CHECK(old_name_was_taken(ended(1, words + "file exists\"")));
  CHECK_FALSE(old_name_was_taken(ended(1, words + "device or resource busy\"")));
  CHECK_FALSE(old_name_was_taken(ended(1, "rename /data/server/tls: file exists")));
  CHECK_FALSE(old_name_was_taken(
      ended(1, "msg=\"moved to /data/server/db/etcd-old-1\"\nmsg=\"mkdir /x: file exists\"")));
  CHECK_FALSE(old_name_was_taken(ended(0, words + "file exists\"")));
}

TEST_CASE("the reason of a failed reset is never noise, and never holds a token") {
  const auto failed = judge_reset(ended(
      1,
      "level=fatal msg=\"token K10abc::server:x is wrong\"\n"
      "level=error msg=\"Remotedialer proxy error; reconnecting...\"\n"
      "level=warning msg=\"Unknown flag --kubelet-arg found in config.yaml, skipping\\n\"\n"));
  CHECK(failed.error().message ==
        "k3s server --cluster-reset: exit status 1: token [removed] is wrong");
}
