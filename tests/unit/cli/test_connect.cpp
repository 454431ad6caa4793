#include "cli/connect.hpp"
#include "support/scratch.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::cli;

namespace {

kube::Environment environment(std::map<std::string, std::string> values) {
  return [values = std::move(values)](std::string_view name) -> std::optional<std::string> {
    const auto found = values.find(std::string(name));
    return found == values.end() ? std::nullopt : std::optional(found->second);
  };
}

const Readable k_nothing = [](const std::string&) { return false; };

} // namespace

TEST_CASE("the search begins at the configured kubeconfig and finds k3s's own under cron") {
  CHECK(kubeconfig_candidates(environment({{"HOME", "/root"}, {"PATH", "/usr/bin:/bin"}})) ==
        std::vector<std::string>{
            "/root/.kube/config-hosteurope", "/etc/rancher/k3s/k3s.yaml", "/root/.kube/config"});
  CHECK(kubeconfig_candidates(environment({})) ==
        std::vector<std::string>{"/etc/rancher/k3s/k3s.yaml"});
}

TEST_CASE("KUBECONFIG replaces the search") {
  CHECK(kubeconfig_candidates(environment({{"HOME", "/root"}, {"KUBECONFIG", "/a::/b"}})) ==
        std::vector<std::string>{"/a", "/b"});
}

TEST_CASE("without any kubeconfig, the cluster cannot be reached, and the hint says what to do") {
  const auto config = choose_cluster({}, environment({{"HOME", "/home/op"}}), k_nothing);
  REQUIRE_FALSE(config);
  CHECK(config.error().code == ErrorCode::unavailable);
  CHECK(config.error().message.find("/home/op/.kube/config") != std::string::npos);
  CHECK(config.error().message.find("/etc/rancher/k3s/k3s.yaml") != std::string::npos);
  CHECK(config.error().hint.find("KUBECONFIG") != std::string::npos);
}

TEST_CASE("a kubeconfig that is named and missing is a cluster that cannot be reached") {
  const auto api = connect_to_cluster({"/nonexistent/kubeconfig", ""});
  REQUIRE_FALSE(api);
  CHECK(api.error().code == ErrorCode::unavailable);
  CHECK(api.error().message.find("/nonexistent/kubeconfig") != std::string::npos);
  CHECK_FALSE(api.error().hint.empty());
}

TEST_CASE(
    "a context of the second file of KUBECONFIG is found, and no file makes one with others") {
  const test::Scratch scratch;
  const auto config = [](const std::string& name) {
    return "current-context: " + name + "\ncontexts: [{name: " + name +
           ", context: {cluster: " + name + "}}]\nclusters: [{name: " + name +
           ", cluster: {server: 'https://" + name + "'}}]\n";
  };
  scratch.write(".kube/config", config("one"));
  scratch.write(".kube/config-hosteurope", config("two"));
  const std::string one = scratch.path(".kube/config");
  const std::string two = scratch.path(".kube/config-hosteurope");
  const Readable all = [&](const std::string& path) { return path == one || path == two; };
  const auto variable = environment({{"KUBECONFIG", one + ":/nowhere:" + two}});
  CHECK(choose_cluster({}, variable, all).value().server == "https://one:443");
  CHECK(choose_cluster({"", "two"}, variable, all).value().server == "https://two:443");

  const auto home = environment({{"HOME", scratch.path()}});
  CHECK(choose_cluster({}, home, all).value().server == "https://two:443");
  CHECK(choose_cluster({"", "one"}, home, all).value().server == "https://one:443");
  CHECK(choose_cluster({"", "three"}, home, all).error().code == ErrorCode::invalid_argument);
}

TEST_CASE("a kubeconfig that is broken is not passed over") {
  const test::Scratch scratch;
  scratch.write("broken", "contexts: [");
  const std::string broken = scratch.path("broken");
  const auto variable = environment({{"KUBECONFIG", broken + ":" + broken}});
  const auto config =
      choose_cluster({"", "one"}, variable, [](const std::string&) { return true; });
  REQUIRE_FALSE(config);
  CHECK(config.error().code == ErrorCode::corrupt);
}

TEST_CASE("a Lease is told by two looks where the clocks of two machines may differ") {
  kube::LeaseRecord lease;
  lease.holder = "pod-1";
  lease.renew_time = "2026-11-22T11:52:10.123456Z";
  const SystemTime now = parse_rfc3339("2026-11-22T11:52:16Z").value();
  CHECK(judge_lease(lease, now) == Presence::there);
  CHECK_FALSE(judge_lease(lease, now + std::chrono::seconds(60)));
  CHECK_FALSE(judge_lease(lease, now - std::chrono::seconds(60)));
  kube::LeaseRecord renewed = lease;
  renewed.renew_time = "2026-11-22T11:52:12.123456Z";
  CHECK(judge_lease(lease, renewed) == Presence::there);
  CHECK(judge_lease(lease, lease) == Presence::silent);
  const Error forbidden{ErrorCode::permission_denied, "no", {}};
  CHECK(judge_lease(lease, forbidden) == Presence::unknown);
  CHECK(judge_lease(forbidden, now) == Presence::unknown);
  lease.renew_time.clear();
  CHECK_FALSE(judge_lease(lease, now));
}
