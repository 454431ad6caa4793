#include "facts.hpp"
#include "restore/cluster/checks.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::cluster;
using test::carries;
using test::check_refused;
using test::find_check;
using test::good_host;
using test::good_set;

TEST_CASE(
    "a host and a set that fit: nothing is refused, and the cluster stops as late as can be") {
  const Decision decision = decide(good_host(), good_set(), {});
  CHECK_FALSE(decision.refused());
  CHECK(decision.plan.steps == std::vector<Step>{Step::decrypt,
                                                 Step::stop,
                                                 Step::save_state,
                                                 Step::reset,
                                                 Step::start,
                                                 Step::ready,
                                                 Step::compare,
                                                 Step::clean_up});
  CHECK_FALSE(decision.plan.bare);
  CHECK(decision.plan.was_active);
  CHECK(decision.plan.snapshot_path() == "/var/lib/rancher/k3s/railiance-restore/snapshot");
  CHECK(decision.plan.carried.empty());
}

TEST_CASE("a set from which no server came up is not refused, but said") {
  SetFacts set = good_set();
  set.disproven = "the scratch server: it ended";
  const Decision decision = decide(good_host(), set, {});
  CHECK_FALSE(decision.refused());
  const Check* const check = find_check(decision, "set");
  REQUIRE(check != nullptr);
  CHECK(check->verdict == Verdict::warn);
  CHECK(check->message.find("the scratch server: it ended") != std::string::npos);
}

TEST_CASE("a bare host gets its files back before the reset") {
  ObservedHost host = good_host();
  host.data = {};
  host.data.free_bytes = std::uint64_t{8} << 30U;
  host.service = k3s::ServiceState::inactive;
  host.servers.clear();
  SetFacts set = good_set();
  set.settings.add("node-name", "one", k3s::Origin::command_line);
  const Decision decision = decide(host, set, {});
  CHECK_FALSE(decision.refused());
  CHECK(decision.plan.bare);
  const auto& steps = decision.plan.steps;
  CHECK(std::find(steps.begin(), steps.end(), Step::put_back) + 1 ==
        std::find(steps.begin(), steps.end(), Step::reset));
  CHECK(carries(decision.plan, "--node-name=one")); // of the unit that is put back
}

TEST_CASE("who is not root is refused") {
  ObservedHost host = good_host();
  host.user_id = 1000;
  check_refused(decide(host, good_set(), {}), "root");
}

TEST_CASE("an artifact that does not open or is damaged, with its own exit code") {
  SetFacts set = good_set();
  set.artifacts.push_back({"kubeconfig.age", ExitCode::no_identity, "no identity opens it"});
  check_refused(decide(good_host(), set, {}), "artifact", ExitCode::no_identity);
  set.artifacts.back().code = ExitCode::damaged;
  check_refused(decide(good_host(), set, {}), "artifact", ExitCode::damaged);
}

TEST_CASE("a set without snapshot or host state is incomplete") {
  SetFacts set = good_set();
  set.snapshot = false;
  check_refused(decide(good_host(), set, {}), "set", ExitCode::incomplete);
  set.external_datastore = true; // no older set has it either
  const Decision external = decide(good_host(), set, {});
  check_refused(external, "set", ExitCode::incomplete);
  CHECK(find_check(external, "set")->hint.find("--artifact host-state") != std::string::npos);
  set = good_set();
  set.host_state = false;
  check_refused(decide(good_host(), set, {}), "set", ExitCode::incomplete);
  Wishes wishes;
  wishes.without_host_state = true;
  CHECK_FALSE(decide(good_host(), set, wishes).refused());
  ObservedHost bare = good_host();
  bare.data.token_hash.clear();
  check_refused(decide(bare, set, wishes), "cluster", ExitCode::incomplete);
}

TEST_CASE("the token of the host state must be one that the snapshot knows") {
  SetFacts set = good_set();
  set.token_hash = "ba9876543210";
  check_refused(decide(good_host(), set, {}), "token", ExitCode::damaged);
  set = good_set();
  set.bootstrap_hashes.clear();
  check_refused(decide(good_host(), set, {}), "token", ExitCode::damaged);
}

TEST_CASE("another cluster on this host is replaced on demand only, and then as a bare host") {
  ObservedHost host = good_host();
  host.data.token_hash = "ffffffffffff";
  check_refused(decide(host, good_set(), {}), "cluster");
  Wishes wishes;
  wishes.replace_cluster = true;
  const Decision decision = decide(host, good_set(), wishes);
  CHECK_FALSE(decision.refused());
  CHECK(decision.plan.bare);
}

TEST_CASE("a set from before a rotation of the token is of the same cluster: the CA says so") {
  ObservedHost host = good_host();
  host.data.token_hash = "ffffffffffff";
  host.data.cluster_cas = {"made-for-the-occasion", "ca"};
  SetFacts set = good_set();
  set.cluster_cas = {"", "ca"};
  const Decision decision = decide(host, set, {});
  CHECK_FALSE(decision.refused());
  CHECK(decision.plan.bare); // the older token goes back
  const Check* const check = find_check(decision, "cluster");
  CHECK(check->verdict == Verdict::warn);
  CHECK(check->message.find("before its server token was rotated") != std::string::npos);
  CHECK_FALSE(check->hint.empty());

  set.host_state = false;
  Wishes wishes;
  wishes.without_host_state = true;
  check_refused(decide(host, set, wishes), "cluster", ExitCode::incomplete);
  set = good_set();
  set.cluster_cas = {"another"};
  check_refused(decide(host, set, {}), "cluster");
  set.cluster_cas.clear(); // nothing to compare
  host.data.cluster_cas.clear();
  check_refused(decide(host, set, {}), "cluster");
}

TEST_CASE("a k3s that cannot take the data over is refused before anything is stopped") {
  for (const char* const older : {"v1.33.13+k3s1", "v1.33.7+k3s1", "v1.9.0+k3s1"}) {
    CAPTURE(older);
    ObservedHost host = good_host();
    host.k3s_version = older;
    const Decision decision = decide(host, good_set(), {});
    check_refused(decision, "k3s-version");
    CHECK(find_check(decision, "k3s-version")->hint ==
          "install v1.34.4+k3s1 (INSTALL_K3S_VERSION=v1.34.4+k3s1)");
  }
  ObservedHost host = good_host();
  host.k3s_version.clear();
  check_refused(decide(host, good_set(), {}), "k3s-version");
}

TEST_CASE("a k3s that may do is not refused; where it is doubtful, that is said") {
  for (const char* const fit : {"v1.34.4+k3s1", "v1.34.5+k3s1", "v1.35.0+k3s1"}) {
    CAPTURE(fit);
    ObservedHost host = good_host();
    host.k3s_version = fit;
    CHECK(find_check(decide(host, good_set(), {}), "k3s-version") == nullptr);
  }
  for (const char* const doubtful : {"v1.34.3+k3s1", "v1.34.4+k3s0", "v1.40.0+k3s1", "master"}) {
    CAPTURE(doubtful);
    ObservedHost host = good_host();
    host.k3s_version = doubtful;
    const Decision decision = decide(host, good_set(), {});
    CHECK_FALSE(decision.refused());
    const Check* const check = find_check(decision, "k3s-version");
    REQUIRE(check != nullptr);
    CHECK(check->verdict == Verdict::warn);
    CHECK_FALSE(check->hint.empty());
  }
}

TEST_CASE("the storage version of the snapshot speaks where nobody recorded its k3s") {
  ObservedHost host = good_host();
  SetFacts set = good_set();
  set.k3s_version.clear();
  set.storage_version = "3.7.0";
  check_refused(decide(host, set, {}), "k3s-version"); // v1.34 brings etcd 3.6
  set.storage_version = "3.6.0";
  CHECK_FALSE(decide(host, set, {}).refused());
  set.storage_version = "3.7.0";
  set.datastore = api::DatastoreKind::sqlite; // there it is of libsqlite3
  const Decision decision = decide(host, set, {});
  REQUIRE(find_check(decision, "k3s-version") != nullptr);
  CHECK(find_check(decision, "k3s-version")->verdict == Verdict::warn);
}

TEST_CASE("room for the snapshot twice and for etcd's log") {
  ObservedHost host = good_host();
  host.data.free_bytes = 2 * good_set().snapshot_bytes;
  check_refused(decide(host, good_set(), {}), "disk-space");
}

TEST_CASE("where server/db is a disk of its own each needs its own room") {
  ObservedHost host = good_host();
  host.data.free_bytes = std::uint64_t{100} << 20U;
  check_refused(decide(host, good_set(), {}), "disk-space"); // copy and database on one disk
  host.data.db_free_bytes = std::uint64_t{8} << 30U;
  CHECK_FALSE(decide(host, good_set(), {}).refused());
  host.data.free_bytes = std::uint64_t{8} << 30U;
  host.data.db_free_bytes = std::uint64_t{100} << 20U;
  const Decision decision = decide(host, good_set(), {});
  check_refused(decision, "disk-space");
  CHECK(test::find_check(decision, "disk-space")
            ->message.find("/var/lib/rancher/k3s/server/db: 100 MiB free, 224 MiB needed") !=
        std::string::npos);
}
