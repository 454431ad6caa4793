#include "cli/connect.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <filesystem>

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

TEST_CASE("of several kubeconfigs the one that has the context is taken") {
  const auto kubeconfig = [](const std::string& name, const std::string& current) {
    return "current-context: " + current + "\ncontexts:\n- name: " + name +
           "\n  context:\n    cluster: c\nclusters:\n- name: c\n  cluster:\n    server: https://" +
           name + ":6443\n";
  };
  test::TemporaryDirectory temporary;
  const std::string home = temporary.file("home");
  const std::string work = temporary.file("work");
  test::write_file(temporary.file("empty"), "");
  test::write_file(home, kubeconfig("home", "\"\""));
  test::write_file(work, kubeconfig("work", "work"));
  const auto all = environment({{"KUBECONFIG", temporary.file("empty") + ":" + home + ":" + work}});
  const Readable any = [](const std::string&) { return true; };
  CHECK(choose_cluster({"", "work"}, all, any).value().server == "https://work:6443");
  CHECK(choose_cluster({"", "home"}, all, any).value().server == "https://home:6443");
  CHECK(choose_cluster({}, all, any).value().server == "https://work:6443"); // it has a current one
  const auto nowhere = choose_cluster({"", "nowhere"}, all, any);
  CHECK_FALSE(nowhere);

  // Of the default places the first one is meant, whatever it lacks.
  std::filesystem::create_directory(temporary.file(".kube"));
  const std::string first = temporary.file(".kube/config-hosteurope");
  const std::string last = temporary.file(".kube/config");
  test::write_file(first, kubeconfig("home", "\"\""));
  test::write_file(last, kubeconfig("work", "work"));
  const auto at_home = environment({{"HOME", temporary.path()}});
  const Readable ours = [&](const std::string& path) { return path == first || path == last; };
  const auto unsaid = choose_cluster({}, at_home, ours);
  CHECK_FALSE(unsaid);
  CHECK(choose_cluster({"", "work"}, at_home, ours).value().server == "https://work:6443");
}

TEST_CASE("a kubeconfig that is broken is not passed over") {
  test::TemporaryDirectory temporary;
  const std::string broken = temporary.file("broken");
  test::write_file(broken, "contexts: [");
  const auto all = environment({{"KUBECONFIG", broken + ":" + broken}});
  const auto config = choose_cluster({"", "work"}, all, [](const std::string&) { return true; });
  REQUIRE_FALSE(config);
  CHECK(config.error().code == ErrorCode::corrupt);
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
