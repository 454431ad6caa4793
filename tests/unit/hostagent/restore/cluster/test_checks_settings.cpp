// Traps of the host and of its configuration, as a restore meets them.
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

TEST_CASE("trap: a server that joined another one") {
  ObservedHost host = good_host();
  host.settings.add("server", "https://10.0.0.1:6443");
  check_refused(decide(host, good_set(), {}), "server-url");
  // Templates write it on each server, the first one, too: on none it could be restored.
  CHECK(
      find_check(decide(host, good_set(), {}), "server-url")
          ->hint.starts_with("restore on that one; where it is lost, or names another one itself, "
                             "take the line out here"));
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

TEST_CASE("trap: the VPN of the unit says which address etcd's member has") {
  ObservedHost host = good_host();
  host.network.interfaces = {{"eth0", {"192.0.2.10"}}, {"tailscale0", {"100.64.0.7"}}};
  host.data.members = {{"server-2-1a2b3c4d", "https://100.64.0.9:2380"},
                       {"server-1-1a2b3c4d", "https://100.64.0.7:2380"}};
  host.settings.add("vpn-auth", "********", k3s::Origin::command_line);
  CHECK(carries(decide(host, good_set(), {}).plan, "--node-ip=100.64.0.7"));
  SUBCASE("on a bare host that of the snapshot, where it is this host's") {
    SetFacts set = good_set();
    set.settings.add("vpn-auth-file", "/etc/vpn", k3s::Origin::environment);
    set.peers = {{"server-1-1a2b3c4d", "https://100.64.0.7:2380"}};
    host.data = {};
    CHECK(carries(decide(host, set, {}).plan, "--node-ip=100.64.0.7"));
    set.peers = {{"server-1-1a2b3c4d", "https://100.64.0.8:2380"}};
    CHECK(decide(host, set, {}).plan.carried.empty());
  }
  SUBCASE("one that config.yaml names the reset knows itself") {
    host.settings = {};
    host.settings.add("vpn-auth", "********");
    CHECK(decide(host, good_set(), {}).plan.carried.empty());
  }
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
