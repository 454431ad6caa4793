#include "facts.hpp"
#include "restore/cluster/checks.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::cluster;
using test::check_refused;
using test::find_check;
using test::good_host;
using test::good_set;

namespace {

bool carries(const Plan& plan, const char* flag) {
  return std::find(plan.carried.begin(), plan.carried.end(), flag) != plan.carried.end();
}

} // namespace

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

TEST_CASE("trap: a server that joined another one") {
  ObservedHost host = good_host();
  host.settings.add("server", "https://10.0.0.1:6443");
  check_refused(decide(host, good_set(), {}), "server-url");
  host = good_host();
  host.settings.add("server", "https://10.0.0.1:6443", k3s::Origin::command_line); // K3S_URL
  check_refused(decide(host, good_set(), {}), "server-url");
  // A bare host would get that configuration from the set.
  host = good_host();
  host.data.token_hash.clear();
  SetFacts set = good_set();
  set.settings.add("server", "https://10.0.0.1:6443");
  check_refused(decide(host, set, {}), "server-url");
  CHECK(find_check(decide(host, set, {}), "server-url")->hint.find("--keep-config") !=
        std::string::npos);
}

TEST_CASE(
    "a snapshot larger than etcd's quota is refused where the setting was lost, else warned of") {
  SetFacts set = good_set();
  set.snapshot_bytes = std::uint64_t{3} << 30U;
  const auto found = [&set](const ObservedHost& host) {
    const Decision decision = decide(host, set, {});
    const Check* const check = find_check(decision, "etcd-quota");
    return check == nullptr ? std::optional<Verdict>() : std::optional(check->verdict);
  };
  CHECK(found(good_host()) == Verdict::warn); // it was so at the backup: free pages, perhaps
  set.settings.add("etcd-arg", "quota-backend-bytes=8589934592");
  const Decision lost = decide(good_host(), set, {});
  check_refused(lost, "etcd-quota");
  CHECK(find_check(lost, "etcd-quota")->message.find("quota is 2048 MiB") != std::string::npos);
  CHECK(find_check(lost, "etcd-quota")->message.find("it was 8192 MiB") != std::string::npos);
  for (const char* const enough : {"quota-backend-bytes=8589934592", "--quota-backend-bytes=-1"}) {
    ObservedHost host = good_host();
    host.settings.add("etcd-arg", enough);
    CHECK_FALSE(found(host));
  }
  ObservedHost bare = good_host(); // which gets the configuration of the set
  bare.data.token_hash.clear();
  CHECK_FALSE(found(bare));
  set.datastore = api::DatastoreKind::sqlite;
  CHECK_FALSE(found(good_host()));
}

TEST_CASE("what must change in the configuration of the set has a way out on a bare host") {
  ObservedHost bare = good_host();
  bare.data.token_hash.clear();
  SetFacts set = good_set();
  set.settings.add("datastore-endpoint", "********");
  set.settings.add("etcd-arg", "wal-dir=/mnt/wal");
  set.tokens = {{"config.yaml: token", "ffffffffffff"}};
  const Decision decision = decide(bare, set, {});
  for (const char* const name : {"datastore", "configured-token"}) {
    CAPTURE(name);
    check_refused(decision, name);
    CHECK(find_check(decision, name)->hint.find("--keep-config") != std::string::npos);
  }
  Wishes keep;
  keep.keep_config = true;
  CHECK_FALSE(decide(bare, set, keep).refused());
}

TEST_CASE("trap: k3s does not look whether it runs") {
  ObservedHost host = good_host();
  host.service = k3s::ServiceState::inactive; // and process 4711 is there
  check_refused(decide(host, good_set(), {}), "service", ExitCode::busy);
  host.manager.clear();
  check_refused(decide(host, good_set(), {}), "service", ExitCode::busy);
  host.servers.clear();
  check_refused(decide(host, good_set(), {}), "service");
}

TEST_CASE("an instance of a template that nobody knows is asked for, before anything is stopped") {
  ObservedHost host = good_host();
  host.manager.clear();
  host.service = k3s::ServiceState::unknown;
  host.unit_template = "k3s@";
  Decision decision = decide(host, good_set(), {});
  check_refused(decision, "service", ExitCode::busy);
  const Check* check = find_check(decision, "service");
  CHECK(check->message.find("the template k3s@.service") != std::string::npos);
  CHECK(check->hint.find("`systemctl enable k3s@NAME`") != std::string::npos);
  CHECK(check->hint.find("--stop-command") != std::string::npos);
  host.servers.clear();
  decision = decide(host, good_set(), {});
  check_refused(decision, "service");
  check = find_check(decision, "service");
  CHECK(check->message.find("could start k3s: an instance of the template") != std::string::npos);
}

TEST_CASE("a host that does not say which processes run is not taken for one without") {
  ObservedHost host = good_host();
  host.processes_problem = "/proc: not there";
  check_refused(decide(host, good_set(), {}), "service", ExitCode::busy);
}

TEST_CASE("trap: S3 and a snapshot directory in the configuration do not matter to the reset") {
  ObservedHost host = good_host();
  host.settings.add("etcd-s3", "true");
  host.settings.add("etcd-snapshot-dir", "/mnt/snapshots");
  const Decision decision = decide(host, good_set(), {});
  CHECK_FALSE(decision.refused());
  CHECK(describe(decision.plan)[3].find("--etcd-s3=false") != std::string::npos);
  CHECK(describe(decision.plan)[3].find("restore-path=/var/lib") != std::string::npos);
}

TEST_CASE("trap: flags that only the unit has are carried over, tokens are not") {
  ObservedHost host = good_host();
  for (const auto& [flag, value] :
       std::vector<std::pair<std::string, std::string>>{{"node-ip", "10.0.0.5"},
                                                        {"secrets-encryption", ""},
                                                        {"etcd-arg", "quota-backend-bytes=1"},
                                                        {"etcd-arg", "snapshot-count=5"},
                                                        {"https-listen-port", "7443"},
                                                        {"token", "not this"},
                                                        {"tls-san", "x"}}) {
    host.settings.add(flag, value, k3s::Origin::command_line);
  }
  const Plan plan = decide(host, good_set(), {}).plan;
  CHECK(plan.carried == std::vector<std::string>{"--node-ip=10.0.0.5",
                                                 "--https-listen-port=7443",
                                                 "--secrets-encryption",
                                                 "--etcd-arg=quota-backend-bytes=1",
                                                 "--etcd-arg=snapshot-count=5"});
}

TEST_CASE("trap: the interface of the unit says which address etcd's member gets") {
  ObservedHost host = good_host();
  host.network.interfaces = {{"enp7s0", {"10.0.0.2"}}, {"eth0", {"192.0.2.10"}}};
  host.settings.add("flannel-iface", "enp7s0", k3s::Origin::command_line);
  const Decision decision = decide(host, good_set(), {});
  CHECK_FALSE(decision.refused());
  CHECK(carries(decision.plan, "--flannel-iface=enp7s0"));
  // The reset reads config.yaml itself.
  host.settings = {};
  host.settings.add("flannel-iface", "enp7s0");
  CHECK(decide(host, good_set(), {}).plan.carried.empty());
}

TEST_CASE("trap: the server that is started has its data elsewhere than where it was restored") {
  // k3s was installed here on another disk; the unit of the set does not know that disk.
  ObservedHost bare = good_host();
  bare.data = {};
  bare.data.free_bytes = std::uint64_t{8} << 30U;
  bare.service = k3s::ServiceState::inactive;
  bare.servers.clear();
  bare.data_dir = "/mnt/disk/k3s";
  bare.settings.add("data-dir", "/mnt/disk/k3s", k3s::Origin::command_line);
  check_refused(decide(bare, good_set(), {}), "data-dir");
  CHECK(find_check(decide(bare, good_set(), {}), "data-dir")
            ->hint.starts_with("--data-dir /var/lib/rancher/k3s goes there; --keep-config"));
  Wishes keep;
  keep.keep_config = true;
  CHECK_FALSE(decide(bare, good_set(), keep).refused());

  SetFacts set = good_set();
  set.settings.add("data-dir", "/mnt/disk/k3s/");
  CHECK_FALSE(decide(bare, set, {}).refused());
  set.settings = {};
  set.data_dir = "/mnt/disk/k3s"; // of a start that nobody could read
  CHECK_FALSE(decide(bare, set, {}).refused());
  bare.own_commands = true;
  CHECK_FALSE(decide(bare, good_set(), {}).refused());

  ObservedHost host = good_host(); // --data-dir
  host.data_dir = "/srv/k3s";
  CHECK_FALSE(decide(host, good_set(), {}).refused());
  CHECK(find_check(decide(host, good_set(), {}), "data-dir")->verdict == Verdict::warn);
  host.settings.add("data-dir", "/data");
  check_refused(decide(host, good_set(), {}), "data-dir");
}

TEST_CASE("trap: no CNI plugin host-local") {
  ObservedHost host = good_host();
  host.host_local = false;
  CHECK(carries(decide(host, good_set(), {}).plan, "--disable-agent"));
  host.settings.add("disable-agent", "true");
  CHECK_FALSE(carries(decide(host, good_set(), {}).plan, "--disable-agent"));
}

TEST_CASE("trap: secrets encryption that the configuration has lost") {
  SetFacts set = good_set();
  set.settings.add("secrets-encryption", "true");
  check_refused(decide(good_host(), set, {}), "secrets-encryption");
  ObservedHost host = good_host();
  host.settings.add("secrets-encryption", "", k3s::Origin::command_line);
  CHECK_FALSE(decide(host, set, {}).refused());
  CHECK(carries(decide(host, set, {}).plan, "--secrets-encryption"));
  CHECK(find_check(decide(host, good_set(), {}), "secrets-encryption")->verdict == Verdict::warn);
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

TEST_CASE("trap: etcd's data elsewhere, or no etcd at all") {
  ObservedHost host = good_host();
  host.settings.add("etcd-arg", "data-dir=/mnt/etcd");
  check_refused(decide(host, good_set(), {}), "datastore");
  host = good_host();
  host.settings.add("datastore-endpoint", "mysql://x");
  check_refused(decide(host, good_set(), {}), "datastore");
}

TEST_CASE("trap: a mount point in what is moved aside or replaced as one") {
  ObservedHost host = good_host();
  for (const char* const path : {"/db/etcd", "/db/etcd/member/wal", "/db/state.db"}) {
    CAPTURE(path);
    host.data.mounts = {host.data_dir + "/server" + path};
    const Decision decision = decide(host, good_set(), {});
    check_refused(decision, "data-directory");
    CHECK(find_check(decision, "data-directory")->message.starts_with(host.data.mounts.front()));
    CHECK(find_check(decision, "data-directory")->hint.find("/server/db instead") !=
          std::string::npos);
  }
  host.data.mounts = {host.data_dir + "/server/tls/etcd"};
  const Decision decision = decide(host, good_set(), {});
  check_refused(decision, "data-directory");
  CHECK(find_check(decision, "data-directory")->hint.find("server/tls as a whole may be") !=
        std::string::npos);
}

TEST_CASE("trap: a token in the configuration that is not that of the snapshot") {
  ObservedHost host = good_host();
  host.tokens = {{"config.yaml: token", "ffffffffffff"}};
  check_refused(decide(host, good_set(), {}), "configured-token");
  host.tokens = {{"config.yaml: token", "0123456789ab"}};
  CHECK_FALSE(decide(host, good_set(), {}).refused());
}

TEST_CASE("a tombstone and SQLite data are only spoken of") {
  ObservedHost host = good_host();
  host.data.tombstone = true;
  CHECK(find_check(decide(host, good_set(), {}), "data-directory")->verdict == Verdict::warn);
  host = good_host();
  host.data.etcd = false;
  host.data.sqlite = true;
  CHECK(find_check(decide(host, good_set(), {}), "data-directory")->verdict == Verdict::warn);
}
