#include "support/helm_records.hpp"

#include "api/release_owner.hpp"
#include "helm/release.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::helm;
using test::record_of;
using test::stored;

namespace {

/// As it stands in JSON.
const std::string k_manifest =
    R"("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  labels:\n    app: web\n)"
    R"(    helm.toolkit.fluxcd.io/name: web\n    helm.toolkit.fluxcd.io/namespace: flux-system\n)"
    R"(  name: web\n")";

Result<Release> release_with(const std::string& manifest) {
  return decode_release_record(
      stored("flux-system", "shop-web", 1),
      record_of(R"({"name":"shop-web","namespace":"shop","version":1,"info":{"status":"deployed"},)"
                R"("chart":{"metadata":{"name":"web","version":"1.2.3"}},"config":{"a":1},)"
                R"("manifest":)" +
                manifest + "}"));
}

} // namespace

TEST_CASE("a release of Flux is told by its manifest, for its Secret says nothing") {
  const auto release = release_with(k_manifest);
  REQUIRE(release);
  REQUIRE(release->owner);
  CHECK(release->owner->text() == "Flux HelmRelease flux-system/web");
  CHECK(release->recorded.name_space == "shop");
}

TEST_CASE("a manifest of another kind tells nothing, and spoils nothing") {
  for (const char* manifest :
       {R"("---\n")", "null", "7", R"(["helm.toolkit.fluxcd.io/name: a"])"}) {
    CAPTURE(manifest);
    const auto release = release_with(manifest);
    REQUIRE(release);
    CHECK(!release->owner);
  }
}

TEST_CASE("names in quotes are names, and half of the pair is none") {
  const auto found = api::flux_labels(R"(  helm.toolkit.fluxcd.io/name: \"123\"\n)"
                                      R"(  helm.toolkit.fluxcd.io/namespace: '456'\n)");
  REQUIRE(found.size() == 2);
  CHECK(found.at("helm.toolkit.fluxcd.io/name") == "123");
  CHECK(found.at("helm.toolkit.fluxcd.io/namespace") == "456");
  for (const char* manifest : {"",
                               "helm.toolkit.fluxcd.io/name",
                               "helm.toolkit.fluxcd.io/name: ",
                               "helm.toolkit.fluxcd.io/name: web",
                               R"(helm.toolkit.fluxcd.io/name: web\n  x: y\n)",
                               R"(helm.toolkit.fluxcd.io/name: web\n)"
                               R"(helm.toolkit.fluxcd.io/namespace: \n)",
                               R"(helm.toolkit.fluxcd.io/name: \"web\n)"
                               R"(helm.toolkit.fluxcd.io/namespace: flux\n)",
                               R"(helm.toolkit.fluxcd.io/namespace: flux\n)"
                               R"(helm.toolkit.fluxcd.io/name: web\n)"}) {
    CAPTURE(manifest);
    CHECK(api::flux_labels(manifest).empty());
  }
}
