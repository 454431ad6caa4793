#include "joining_host.hpp"

#include <algorithm>

namespace rb::test {

using namespace cluster;

namespace {

ProcessResult said(std::string out) {
  ProcessResult result;
  result.exit_status = 0;
  result.out = std::move(out);
  return result;
}

ProcessResult failed(std::string err) {
  ProcessResult result;
  result.exit_status = 1;
  result.err = std::move(err);
  return result;
}

bool has(const ProcessSpec& spec, std::string_view argument) {
  return std::ranges::find(spec.arguments, argument) != spec.arguments.end();
}

} // namespace

JoiningHost::JoiningHost(bool empty_disk) : host(empty_disk) {
  host.lose_processes();
  host.joining = Joining{"one (https://192.0.2.11:6443)",
                         "https://192.0.2.11:6443",
                         "https://192.0.2.11:6443",
                         3,
                         "/etc/rancher/k3s/config.yaml.d/zz-railiance-rejoin.yaml",
                         "server: https://192.0.2.11:6443\n",
                         {"tls/server-ca.crt", "cred/passwd"}};
  host.before_start = [this] { start(); };
  host.answers = [this](const ProcessSpec& spec) { return answer(spec); };
}

std::string JoiningHost::data() const {
  return host.scratch.exists("data/server/db/etcd/member") ? host.data() : std::string();
}

/// As k3s does it: with a database of its own it goes on with that, else it joins, unless it has
/// other passwords than the cluster, and newer ones.
void JoiningHost::start() {
  if (host.scratch.exists("data/server/db/etcd/member") || !host.scratch.exists(k_drop_in) ||
      !host.scratch.exists("data/server/token")) {
    return;
  }
  const char* const passwd = "data/server/cred/passwd";
  if (host.scratch.exists(passwd) && host.scratch.read(passwd) != "of the cluster") {
    host.k3s_says = "cred/passwd newer than datastore and could cause a cluster outage";
    return;
  }
  host.scratch.write(passwd, "of the cluster");
  host.scratch.write("data/server/db/etcd/member", "joined");
  host.scratch.write("data/server/db/etcd/name", "two-0a1b2c3d");
  host.scratch.write("data/server/tls/ca.crt", "of the cluster");
  for (const char* const name : {"server-ca.crt", "client-admin.crt", "client-admin.key"}) {
    host.scratch.write(std::string("data/server/tls/") + name, "of the cluster");
  }
}

std::string JoiningHost::members() {
  const bool joined = data() == "joined";
  if (joined && learner_for > 0) {
    --learner_for;
  } else if (joined && learner_for == 0) {
    two_votes = true;
  }
  std::string list = R"({"members":[{"ID":1,"name":"one-11111111"})";
  if (joined) {
    list += std::string(R"(,{"ID":18446744073709551615,"name":"two-0a1b2c3d")") +
            (two_votes ? "}" : R"(,"isLearner":true})");
  }
  return list + "]}";
}

std::optional<ProcessResult> JoiningHost::answer(const ProcessSpec& spec) {
  asked.push_back(spec.arguments.back() == "--overwrite" ? "annotate" : spec.arguments[4]);
  const bool here = has(spec, "--server=https://127.0.0.1:6443");
  if (has(spec, "annotate")) {
    if (!has_node || !has(spec, node)) {
      return failed("Error from server (NotFound): nodes \"two\" not found");
    }
    two_votes = false;
    host.scratch.write("data/server/db/etcd/member", "taken out");
    return said("node/two annotated");
  }
  if (has(spec, "--raw=/readyz")) {
    return starts && data() == "joined" ? std::nullopt
                                        : std::optional(failed("connection refused"));
  }
  if (here && ends_asked && has(spec, "--raw=/db/info")) {
    host.lose_processes();
  }
  if (here && !(host.running() && data() == "joined")) {
    return host.running() && has(spec, "--raw=/db/info") && data() == "taken out"
               ? said(R"({"members":[{"ID":1,"name":"one-11111111"}]})")
               : failed("connection refused");
  }
  if (has(spec, "--raw=/db/info")) {
    if (!here && !answering) {
      return failed("connection refused");
    }
    return said(members());
  }
  if (has(spec, "--raw=/api/v1/namespaces?limit=1")) {
    ahead -= here && ahead > 0 ? 1 : 0;
    return said(R"({"metadata":{"resourceVersion":")" +
                std::to_string(here ? 100 - std::min<std::uint64_t>(ahead, 100) : 100) + "\"}}");
  }
  if (has(spec, "--raw=/api/v1/nodes/" + node) && !heartbeat.empty()) {
    return said(R"({"status":{"conditions":[{"type":"Ready","status":"True",)"
                R"("lastHeartbeatTime":")" +
                heartbeat + "\"}]}}");
  }
  if (has(spec, "--raw=/api/v1/nodes?labelSelector=node-role.kubernetes.io%2Fetcd") && has_node) {
    return said(R"({"items":[{"metadata":{"name":"one","annotations":{)"
                R"("etcd.k3s.cattle.io/node-name":"one-11111111"}}},{"metadata":{"name":")" +
                node + R"(","annotations":{"etcd.k3s.cattle.io/node-name":"two-0a1b2c3d"}}}]})");
  }
  return failed("Error from server (NotFound): the server could not find the requested resource");
}

} // namespace rb::test
