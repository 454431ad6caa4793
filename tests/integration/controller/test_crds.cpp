// What the API server refuses by itself, and what it must take.
#include "cluster.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::test;

namespace {

void refuses(Cluster& cluster, const nlohmann::json& spec, const std::string& words) {
  const auto made = cluster.create_backup("refused", spec);
  CAPTURE(spec.dump());
  REQUIRE_FALSE(made);
  CHECK(made.error().http_status == 422);
  CHECK(made.error().code == ErrorCode::invalid_argument);
  CAPTURE(made.error().message);
  CHECK(made.error().message.find(words) != std::string::npos);
}

} // namespace

TEST_CASE("the API server refuses what no run could honour") {
  Cluster cluster;
  refuses(cluster, {{"retention", {{"keepLast", 0}}}}, "greater than or equal to 1");
  refuses(cluster, {{"retention", {{"keepLast", 1001}}}}, "less than or equal to 1000");
  refuses(cluster, {{"artifacts", {"Everything"}}}, "Unsupported value: \"Everything\"");
  refuses(cluster, {{"artifacts", nlohmann::json::array()}}, "at least 1 items");
  refuses(cluster, {{"artifacts", {"Kubeconfig", "Kubeconfig"}}}, "Duplicate value");
  refuses(cluster, {{"deadlineSeconds", 0}}, "greater than or equal to 1");
  refuses(cluster, {{"ttlSecondsAfterFinished", -1}}, "greater than or equal to 0");
  refuses(cluster, {{"nodeName", "../etc"}}, "should match");
  refuses(cluster, {{"verification", "Twice"}}, "Unsupported value: \"Twice\"");
  refuses(cluster, {{"servers", "Two"}}, "Unsupported value: \"Two\"");
  refuses(cluster,
          {{"verification", "Boot"}, {"artifacts", {"Kubeconfig", "HostState"}}},
          "verification Boot needs Datastore");
}

TEST_CASE("an empty spec gets the documented defaults") {
  Cluster cluster;
  const auto made = cluster.create_backup("defaults", nlohmann::json::object());
  REQUIRE(made);
  CHECK(made->at("spec").at("artifacts").size() == 4);
  CHECK_FALSE(made->at("spec").contains("retention")); // what the cluster is configured to keep
  CHECK(made->at("spec").at("deadlineSeconds") == 3600);
  CHECK(made->at("spec").at("verification") == "Snapshot");
  CHECK(made->at("spec").at("servers") == "All");
  CHECK(cluster.create_backup("to-be-proven", {{"verification", "Boot"}}));
}

TEST_CASE("a spec cannot be changed") {
  Cluster cluster;
  REQUIRE(cluster.create_backup("fixed", nlohmann::json::object()));
  const auto changed = cluster.client().patch({kube::k_cluster_backups, "", "fixed", {}},
                                              kube::PatchType::merge,
                                              {{"spec", {{"deadlineSeconds", 60}}}});
  REQUIRE_FALSE(changed);
  CHECK(changed.error().http_status == 422);
  CHECK(changed.error().message.find("spec must not be changed") != std::string::npos);
}

TEST_CASE("a name of 253 characters is taken, one of 254 is refused before it is sent") {
  Cluster cluster;
  CHECK(cluster.create_backup(std::string(253, 'n'), nlohmann::json::object()));
  CHECK_FALSE(cluster.create_backup(std::string(254, 'n'), nlohmann::json::object()));
}
