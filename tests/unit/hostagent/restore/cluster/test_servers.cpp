// Holds: what a server answers is read, whatever it is; what opens it is written for the questions
// alone, and is in no argument list.
#include "restore/cluster/file_changes.hpp"
#include "restore/cluster/server_access.hpp"
#include "restore/cluster/servers.hpp"
#include "support/scratch.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>

using namespace rb;
using namespace rb::cluster;

namespace {

constexpr SystemTime k_now{};
constexpr const char* k_members =
    R"({"members":[{"ID":18446744073709551615,"name":"one-11111111",)"
    R"("peerURLs":["https://192.0.2.11:2380"],"clientURLs":["https://192.0.2.11:2379"]},)"
    R"({"ID":2,"name":"two-0a1b2c3d","peerURLs":["https://[2001:db8::2]:2380"],"isLearner":true}]})";

/// A k3s whose kubectl gives these answers, by URL and path.
class Kubectl final : public ProcessRunner {
public:
  [[nodiscard]] Result<ProcessResult> run(const ProcessSpec& spec, std::stop_token) override {
    specs.push_back(spec);
    std::string url;
    std::string path;
    for (const std::string& argument : spec.arguments) {
      url = argument.starts_with("--server=") ? argument.substr(9) : url;
      path = argument.starts_with("--raw=") ? argument.substr(6) : path;
    }
    ProcessResult result;
    const auto found = answers.find(url + path);
    result.exit_status = found == answers.end() || found->second.starts_with("!") ? 1 : 0;
    (result.exit_status == 0 ? result.out : result.err) =
        found == answers.end()    ? "Unable to connect to the server: connection refused"
        : result.exit_status == 0 ? found->second
                                  : found->second.substr(1);
    return result;
  }

  std::map<std::string, std::string> answers;
  std::vector<ProcessSpec> specs;
};

Access access() {
  return {{"/k3s", "/run/kubeconfig", "/data"}, "admin", "supervisor"};
}

std::map<std::string, std::string> a_server(const std::string& supervisor) {
  const std::string url = "https://192.0.2.11:6443";
  return {// of two with one name the first counts
          {supervisor + "/cacerts", "-----BEGIN CERTIFICATE-----\n"},
          {supervisor + "/db/info", k_members},
          {url + "/readyz", "ok"},
          {url + "/version", R"({"gitVersion":"v1.34.4+k3s1"})"},
          {url + "/api/v1/namespaces/kube-system", R"({"metadata":{"uid":"u-1"}})"},
          {url + "/cacerts",
           "!Error from server (NotFound): the server could not find the requested resource"}};
}

} // namespace

TEST_CASE("URLs: addresses of both families, ports, and the same port here") {
  CHECK(url_of("192.0.2.11", "6443") == "https://192.0.2.11:6443");
  CHECK(url_of("2001:db8::1", "6443") == "https://[2001:db8::1]:6443");
  CHECK(port_of("https://192.0.2.11:6443") == "6443");
  CHECK(port_of("https://[2001:db8::1]:7443/x") == "7443");
  CHECK(port_of("https://[2001:db8::1]").empty());
  CHECK(port_of("https://lb.example").empty());
  CHECK(loopback_url("https://192.0.2.11:9345") == "https://127.0.0.1:9345");
  CHECK(loopback_url("https://[2001:db8::1]:6443") == "https://[::1]:6443");
  CHECK(loopback_url("https://lb.example:6443") == "https://127.0.0.1:6443");
}

TEST_CASE("a server is asked for all that tells it; the supervisor has a port of its own, or not") {
  for (const char* const supervisor : {"https://192.0.2.11:6443", "https://192.0.2.11:9345"}) {
    CAPTURE(supervisor);
    Kubectl kubectl;
    kubectl.answers = a_server(supervisor);
    const ServerAnswer answer = ask_server(kubectl, access(), "https://192.0.2.11:6443", {});
    CHECK(answer.contact == Contact::ready);
    CHECK(answer.version == "v1.34.4+k3s1");
    CHECK(answer.cluster_uid == "u-1");
    CHECK(answer.supervisor_url == supervisor);
    CHECK(answer.cluster_ca.size() == 64);
    CHECK(answer.members.size() == 2);
    CHECK(answer.members_problem.empty());
    const auto& last = kubectl.specs.back().arguments;
    CHECK(std::ranges::find(last, "--context=supervisor") != last.end());
  }
}

TEST_CASE("a server that is none of ours, or cannot answer, says why") {
  struct Case {
    const char* said;
    Contact contact;
    const char* words;
  };
  for (const Case& one :
       {Case{"!Unable to connect to the server: tls: failed to verify certificate: x509: "
             "certificate signed by unknown authority",
             Contact::stranger,
             "unknown authority"},
        Case{"!error: You must be logged in to the server (Unauthorized)",
             Contact::refused,
             "logged in"},
        Case{"!Error from server (InternalError): [+]ping ok\n[-]etcd failed: reason withheld\n",
             Contact::unready,
             "no quorum"},
        Case{"!Error from server (ServiceUnavailable): starting", Contact::unready, "starting"},
        Case{"!Unable to connect to the server: dial tcp: i/o timeout", Contact::none, "timeout"},
        Case{"!", Contact::none, "no word"}}) {
    CAPTURE(one.said);
    Kubectl kubectl;
    kubectl.answers = a_server("https://192.0.2.11:6443");
    kubectl.answers["https://192.0.2.11:6443/readyz"] = one.said;
    const ServerAnswer answer = ask_server(kubectl, access(), "https://192.0.2.11:6443", {});
    CHECK(answer.contact == one.contact);
    CHECK(answer.problem.find(one.words) != std::string::npos);
    CHECK(kubectl.specs.size() == 1); // nothing more is asked
  }
}

TEST_CASE("a server with another token lists no members, and the reason is kept") {
  Kubectl kubectl;
  kubectl.answers = a_server("https://192.0.2.11:9345");
  kubectl.answers["https://192.0.2.11:9345/db/info"] = "!error: not authorized";
  const ServerAnswer answer = ask_server(kubectl, access(), "https://192.0.2.11:6443", {});
  CHECK(answer.members.empty());
  CHECK(answer.members_problem.find("not authorized") != std::string::npos);
}

TEST_CASE("the revision of a server is that of a list, and nothing else is taken for one") {
  Kubectl kubectl;
  const std::string url = "https://192.0.2.11:6443";
  const std::string key = url + "/api/v1/namespaces?limit=1";
  kubectl.answers[key] = R"({"metadata":{"resourceVersion":"4711"}})";
  CHECK(ask_revision(kubectl, access(), url, {}).value() == 4711);
  for (const char* const text : {"",
                                 "{}",
                                 R"({"metadata":{"resourceVersion":"47x"}})",
                                 R"({"metadata":{"resourceVersion":"-1"}})"}) {
    CAPTURE(text);
    kubectl.answers[key] = text;
    CHECK_FALSE(ask_revision(kubectl, access(), url, {}));
  }
}

TEST_CASE("what opens the servers is there for the questions alone, with mode 0600") {
  const test::Scratch scratch;
  scratch.write("data/server/tls/server-ca.crt", "authority");
  scratch.write("data/server/tls/client-admin.crt", "certificate");
  scratch.write("data/server/tls/client-admin.key", "key");
  scratch.write("data/server/token", "K10aa::server:pass\"\\\n");
  const std::string path = scratch.path("run/access");
  {
    const auto made = ServerAccess::make("/k3s", nullptr, scratch.path("data"), path, k_now);
    REQUIRE(made);
    CHECK(test::mode_of(path) == "600");
    const auto json = nlohmann::json::parse(scratch.read("run/access"));
    CHECK(json["clusters"][0]["cluster"]["certificate-authority-data"] == "YXV0aG9yaXR5");
    CHECK(json["users"][0]["user"]["client-key-data"] == "a2V5");
    CHECK(json["users"][1]["user"]["username"] == "server");
    CHECK(json["users"][1]["user"]["password"] == "pass\"\\");
    CHECK(made->access().kubectl.kubeconfig == path);
    CHECK(made->access().kubectl.data_dir == scratch.path("data"));
  }
  CHECK_FALSE(scratch.exists("run/access"));
}

TEST_CASE("what a kill left of what opens the servers goes, whole or half") {
  const test::Scratch scratch;
  CHECK(remove_written(scratch.path("run/access"))); // there is nothing
  for (const char* const name : {"run/access", "run/access.railiance-part"}) {
    CAPTURE(name);
    scratch.write(name, "a key");
    CHECK(remove_written(scratch.path("run/access")));
    CHECK_FALSE(scratch.exists(name));
  }
}

TEST_CASE("the set's own certificates go before those of the host, and neither is an error") {
  const test::Scratch scratch;
  for (const char* const name :
       {"tls/server-ca.crt", "tls/client-admin.crt", "tls/client-admin.key", "token"}) {
    scratch.write(std::string("host/server/") + name, "of the host");
  }
  set::HostState state;
  state.data_dir = "/srv/k3s";
  for (const auto& [name, content] :
       std::map<std::string, std::string>{{"srv/k3s/server/tls/server-ca.crt", "authority"},
                                          {"srv/k3s/server/tls/client-admin.crt", "certificate"},
                                          {"srv/k3s/server/tls/client-admin.key", "key"},
                                          {"srv/k3s/server/token", "of the set"}}) {
    state.files.push_back({name, SecretBytes(as_bytes(content)), 0600, {}});
  }
  const std::string path = scratch.path("run/access");
  {
    const auto made = ServerAccess::make("/k3s", &state, scratch.path("host"), path, k_now);
    REQUIRE(made);
    CHECK(scratch.read("run/access").find("of the set") != std::string::npos);
  }
  state.files.pop_back(); // without a token it is not enough
  {
    const auto made = ServerAccess::make("/k3s", &state, scratch.path("host"), path, k_now);
    REQUIRE(made);
    CHECK(scratch.read("run/access").find("of the host") != std::string::npos);
  }
  const auto none = ServerAccess::make("/k3s", &state, scratch.path("data"), path, k_now);
  REQUIRE_FALSE(none);
  CHECK(none.error().code == ErrorCode::not_found);
  CHECK_FALSE(scratch.exists("run/access"));
}
