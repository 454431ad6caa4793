// What is decided of a set of SQLite, said, and written down.
#include "facts.hpp"
#include "fake_host.hpp"
#include "restore/cluster/database.hpp"

#include <doctest/doctest.h>

#include <cstdlib>

using namespace rb;
using namespace rb::cluster;
using test::FakeHost;

namespace {

constexpr auto k_sqlite = api::DatastoreKind::sqlite;

} // namespace

TEST_CASE("the plan of a set of SQLite names files and no reset, in words and by hand") {
  SetFacts set = test::good_set();
  set.datastore = k_sqlite;
  ObservedHost host = test::good_host();
  host.data.etcd = false;
  host.data.sqlite = true;
  const Decision decision = decide(host, set, {});
  CHECK_FALSE(decision.refused());
  CHECK(decision.plan.datastore == k_sqlite);
  std::string text;
  for (const std::string& line : describe(decision.plan)) {
    text += line + "\n";
  }
  for (const std::string& line :
       commands_by_hand({set.run_id, 0, "/backup", "k", "stop", "start", "", decision.plan})) {
    text += line + "\n";
  }
  CHECK(text.find("cluster-reset") == std::string::npos);
  CHECK(text.find("state.db-wal") != std::string::npos);
  CHECK(text.find("sqlite-20261122T020000Z.db.age") != std::string::npos);
}

TEST_CASE("SQLite by hand, done twice: what was there first is under a name of its own") {
  const test::Scratch scratch;
  scratch.write("server/db/state.db", "first");
  scratch.write("server/db/state.db-wal", "its log");
  scratch.write("server/db/state.db-journal", "its journal");
  scratch.write("server/tls/ca.crt", "first");
  scratch.write("snapshot", "restored");
  Plan plan;
  plan.data_dir = scratch.path();
  std::string script = "set -e\ndate() { echo \"$round\"; }\n";
  for (const std::string& line : sqlite_database().by_hand(plan, scratch.path("snapshot"))) {
    script += line + "\n";
  }
  for (const char* const round : {"1", "2"}) {
    scratch.write("server/tls/" + std::string(round), "made by a start");
    REQUIRE(std::system(("round=" + std::string(round) + "; " + script).c_str()) == 0);
  }
  CHECK(scratch.read("server/db/state-old-1/state.db") == "first");
  CHECK(scratch.read("server/db/state-old-1/state.db-wal") == "its log");
  CHECK(scratch.read("server/db/state-old-1/state.db-journal") == "its journal");
  CHECK_FALSE(scratch.exists("server/db/state.db-journal"));
  CHECK(scratch.read("server/db/state-old-1/tls/ca.crt") == "first");
  CHECK(scratch.read("server/db/state-old-2/state.db") == "restored");
  CHECK(scratch.read("server/db/state.db") == "restored");
}

TEST_CASE("what a set of SQLite meets on the host and in the configuration is said") {
  SetFacts set = test::good_set();
  set.datastore = k_sqlite;
  ObservedHost host = test::good_host();
  const Decision on_etcd = decide(host, set, {});
  CHECK(test::find_check(on_etcd, "data-directory")->verdict == Verdict::warn);
  host.data.etcd = false;
  host.data.sqlite = true;
  CHECK_FALSE(decide(host, set, {}).refused());
  // k3s would make a new cluster of it, with the objects of the copy and other certificates.
  host.settings.add({"cluster-init", "true", k3s::Origin::config, "/etc/rancher/k3s/config.yaml"});
  const Decision new_cluster = decide(host, set, {});
  const Check* const check = test::find_check(new_cluster, "datastore");
  CHECK(check->verdict == Verdict::refuse);
  CHECK(check->message.find("`cluster-init` (/etc/rancher/k3s/config.yaml)") != std::string::npos);
  host.settings.add("datastore-endpoint", "sqlite://" + host.data_dir + "/server/db/state.db");
  CHECK_FALSE(decide(host, set, {}).refused()); // then it is not looked at
  host.settings.add("datastore-endpoint", "mysql://db");
  CHECK(test::find_check(decide(host, set, {}), "datastore")->verdict == Verdict::refuse);
}

TEST_CASE("a datastore-endpoint that names the SQLite file of k3s's own is in nobody's way") {
  SetFacts set = test::good_set();
  ObservedHost host = test::good_host();
  host.settings.add("datastore-endpoint", "sqlite://" + host.data_dir + "/server/db/state.db");
  CHECK(test::find_check(decide(host, set, {}), "datastore")->verdict == Verdict::refuse);
  set.datastore = k_sqlite;
  CHECK_FALSE(decide(host, set, {}).refused());
  host.settings.add("datastore-endpoint", "sqlite:///dev/shm/state.db");
  CHECK(test::find_check(decide(host, set, {}), "datastore")->verdict == Verdict::refuse);
  host.settings = {}; // of a bare host the setting is in the set, where nobody can remove it
  host.data.token_hash.clear();
  set.settings.add("datastore-endpoint", "sqlite:///dev/shm/state.db");
  const Decision bare = decide(host, set, {});
  const Check* const check = test::find_check(bare, "datastore");
  REQUIRE(check != nullptr);
  CHECK(check->hint.find("--keep-config") != std::string::npos);
}

TEST_CASE("the journal of a restore of SQLite is read back, and one of before is of etcd") {
  FakeHost host(false, k_sqlite);
  const std::string text = serialize(host.fresh_journal());
  CHECK(parse_journal(text)->plan.datastore == k_sqlite);
  FakeHost other;
  CHECK(serialize(other.fresh_journal()).find("\"datastore\"") == std::string::npos);
}
