#include "cli/connect.hpp"

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
