// uninstall as a whole command, on a k3s that is played.
#include "fake_k3s.hpp"

#include <doctest/doctest.h>

#include <filesystem>

using namespace rb;
using namespace rb::test;

namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("uninstall takes back files and objects, leaves the sets and the CRDs, and says so") {
  FakeK3s k3s;
  REQUIRE(k3s.install({"--backup-dir", "/srv/backups"}).code == 0);
  const Outcome outcome = k3s.command({"uninstall"});
  CAPTURE(outcome.err);
  CHECK(outcome.code == 0);
  CHECK(has(outcome.out, "the backup sets: /srv/backups"));
  CHECK(has(outcome.out, "kubectl delete crd"));
  CHECK(has(outcome.out, "helm install --take-ownership"));
  CHECK(has(outcome.out, "off-site: /var/lib/railiance-backup/offsite/rclone\n"));
  CHECK(std::filesystem::is_empty(k3s.scratch.path("data/server/manifests")));
  CHECK(std::filesystem::is_empty(k3s.scratch.path("data/agent/images")));
  CHECK_FALSE(k3s.has_object(k_namespace_path));
  CHECK_FALSE(k3s.has_object(k_controller_path));
  CHECK(k3s.has_object(k_crd_path));
  for (const auto& [path, object] : k3s.objects) {
    CAPTURE(path);
    CHECK((path == "/api/v1/namespaces/default" || has(path, "customresourcedefinitions")));
  }
  const Outcome again = k3s.command({"uninstall"});
  CHECK(again.code == 0);
  CHECK(has(again.out, "not installed here"));
  CHECK(k3s.install().code == 0); // and it can come again
}

TEST_CASE("an uninstall that was cut off at any request is completed by the next one") {
  std::size_t requests = 0;
  {
    FakeK3s k3s;
    REQUIRE(k3s.install().code == 0);
    k3s.before_request = [&] { ++requests; };
    REQUIRE(k3s.command({"uninstall"}).code == 0);
  }
  for (std::size_t cut = 1; cut < requests; ++cut) {
    CAPTURE(cut);
    FakeK3s k3s;
    REQUIRE(k3s.install().code == 0);
    std::size_t seen = 0;
    k3s.before_request = [&] { k3s.down = ++seen > cut; };
    CHECK(k3s.command({"uninstall"}).code == 8);
    k3s.before_request = {};
    k3s.down = false;
    CHECK(k3s.command({"uninstall"}).code == 0);
    CHECK_FALSE(k3s.has_object(k_controller_path));
    CHECK_FALSE(k3s.has_object(k_namespace_path));
    CHECK(std::filesystem::is_empty(k3s.scratch.path("data/server/manifests")));
    CHECK(std::filesystem::is_empty(k3s.scratch.path("data/agent/images")));
  }
}

TEST_CASE("uninstall names the other servers, on which it would come back") {
  FakeK3s k3s;
  REQUIRE(k3s.install().code == 0);
  k3s.objects["/api/v1/nodes/server-1"] = {{"metadata", {{"name", "server-1"}}}};
  SUBCASE("there is none") {
    CHECK_FALSE(has(k3s.command({"uninstall"}).out, "other servers"));
  }
  SUBCASE("they cannot be listed") {
    k3s.refused = "/api/v1/nodes";
    const Outcome outcome = k3s.command({"uninstall"});
    CHECK(outcome.code == 0);
    CHECK(has(outcome.out, "other servers of this cluster: not known ("));
    CHECK_FALSE(k3s.has_object(k_controller_path));
  }
  SUBCASE("there are two") {
    k3s.objects["/api/v1/nodes/server-2"] = {{"metadata", {{"name", "server-2"}}}};
    k3s.objects["/api/v1/nodes/server-3"] = {{"metadata", {{"name", "server-3"}}}};
    const Outcome outcome = k3s.command({"uninstall"});
    CHECK(outcome.code == 0);
    CHECK(has(outcome.out, "other servers of this cluster: server-2, server-3\n"));
    CHECK(has(outcome.out, "run the same on each"));
  }
}

TEST_CASE("uninstall keeps a namespace that holds Secrets of the operator's") {
  FakeK3s k3s;
  REQUIRE(k3s.install().code == 0);
  k3s.objects["/api/v1/namespaces/railiance-backup/secrets/rclone"] = {
      {"metadata", {{"name", "rclone"}}}, {"type", "Opaque"}};
  const Outcome outcome = k3s.command({"uninstall"});
  CHECK(outcome.code == 0);
  CHECK(has(outcome.out, "Secrets of yours: rclone"));
  CHECK(k3s.has_object(k_namespace_path));
  CHECK_FALSE(k3s.has_object(k_controller_path));
}

TEST_CASE("uninstall leaves alone what is Helm's, and what it can't reach") {
  FakeK3s k3s;
  SUBCASE("Helm's") {
    k3s.objects[k_controller_path] = {
        {"metadata", {{"annotations", {{"meta.helm.sh/release-name", "backups"}}}}}};
    const Outcome outcome = k3s.command({"uninstall"});
    CHECK(outcome.code == 1);
    CHECK(has(outcome.err, "helm uninstall backups"));
  }
  SUBCASE("kubectl's") {
    k3s.objects[k_controller_path] = {{"metadata", {{"name", "railiance-backup-controller"}}}};
    const Outcome outcome = k3s.command({"uninstall"});
    CHECK(outcome.code == 1);
    CHECK(has(outcome.err, "kubectl delete -k deploy"));
  }
  SUBCASE("an API that does not answer") {
    REQUIRE(k3s.install().code == 0);
    k3s.asked.clear();
    k3s.down = true;
    CHECK(k3s.command({"uninstall"}).code == 8);
    CHECK(k3s.scratch.exists(k_manifests));
  }
  CHECK(k3s.asked.empty());
}
