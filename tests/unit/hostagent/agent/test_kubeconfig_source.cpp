#include "agent/kubeconfig_source.hpp"
#include "support/scratch.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::agent;

TEST_CASE("the first kubeconfig that is there is taken") {
  const test::Scratch scratch;
  scratch.write("b", "apiVersion: v1\nclusters: []\n");
  scratch.write("c", "clusters: []\n");
  const auto found = find_kubeconfig({scratch.path("a"), scratch.path("b"), scratch.path("c")});
  REQUIRE(std::holds_alternative<Kubeconfig>(found));
  CHECK(std::get<Kubeconfig>(found).path == scratch.path("b"));
  CHECK(std::get<Kubeconfig>(found).content.text() == "apiVersion: v1\nclusters: []\n");
}

TEST_CASE("none at all names every place that was looked at") {
  const auto found = find_kubeconfig({"/nonexistent/a", "/nonexistent/b"});
  REQUIRE(std::holds_alternative<Failure>(found));
  CHECK(std::get<Failure>(found).reason == api::Reason::kubeconfig_missing);
  CHECK(std::get<Failure>(found).message ==
        "no kubeconfig found: looked for /nonexistent/a, /nonexistent/b");
}

TEST_CASE("one that is there but useless is not passed over") {
  const test::Scratch scratch;
  scratch.write("empty", "");
  scratch.write("other", "kind: Pod\n");
  scratch.write("good", "clusters: []\n");
  for (const char* const name : {"empty", "other"}) {
    const auto found = find_kubeconfig({scratch.path(name), scratch.path("good")});
    REQUIRE(std::holds_alternative<Failure>(found));
    CHECK(std::get<Failure>(found).message.starts_with(scratch.path(name)));
  }
}
