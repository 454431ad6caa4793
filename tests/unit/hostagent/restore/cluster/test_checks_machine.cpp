// Holds: what a machine that is to become the server is told before anything is touched.
#include "facts.hpp"
#include "support/scratch.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::cluster;
using test::check_refused;
using test::find_check;
using test::good_host;
using test::good_set;

TEST_CASE("a host of another name is told what becomes of the node, and of no other") {
  ObservedHost host = good_host();
  SetFacts set = good_set();
  set.node_name = "server-1";
  set.servers = {{"server-2", "192.0.2.12", {}}};
  const auto told = [&] {
    const Decision decision = decide(host, set, {});
    CHECK_FALSE(decision.refused());
    return find_check(decision, "node-name") != nullptr;
  };
  CHECK_FALSE(told()); // nobody knows its name
  for (const char* const known : {"server-1", "server-2"}) {
    host.host_name = known;
    CHECK_FALSE(told());
  }
  host.host_name = "debian";
  CHECK(told());
  const Decision decision = decide(host, set, {});
  const Check* const check = find_check(decision, "node-name");
  CHECK(check->message.find("debian") != std::string::npos);
  CHECK(check->hint.find("set-hostname server-1") != std::string::npos);
  host.settings.add("node-name", "Server-1", k3s::Origin::config);
  CHECK_FALSE(told());
  host.settings = {};
  host.settings.add("with-node-id", "", k3s::Origin::config);
  CHECK_FALSE(told());
}

TEST_CASE("a kernel on which the kubelet would not start is said before") {
  const test::Scratch proc;
  for (const auto& [path, value] : std::initializer_list<std::pair<const char*, const char*>>{
           {"vm/overcommit_memory", "0\n"},
           {"vm/panic_on_oom", "0\n"},
           {"kernel/panic", "10\n"},
           {"kernel/panic_on_oops", "0\n"}}) {
    proc.write(path, value);
  }
  ObservedHost host = good_host();
  host.kernel_flags = kernel_flags_that_differ(proc.path());
  REQUIRE(host.kernel_flags.size() == 2); // what is not there says nothing
  CHECK_FALSE(decide(host, good_set(), {}).refused());
  const std::initializer_list<std::pair<const char*, const char*>> ways{
      {"protect-kernel-defaults", "true"}, {"kubelet-arg", "protect-kernel-defaults=true"}};
  for (const auto& [flag, value] : ways) {
    CAPTURE(flag);
    host.settings = {};
    host.settings.add(flag, value, k3s::Origin::config);
    const Decision decision = decide(host, good_set(), {});
    check_refused(decision, "kernel-settings");
    const Check* const check = find_check(decision, "kernel-settings");
    CHECK(check->message.ends_with("vm.overcommit_memory is 0, kernel.panic_on_oops is 0"));
    CHECK(
        check->hint.starts_with("`printf '%s\\n' vm.overcommit_memory=1 kernel.panic_on_oops=1 >"));
    host.settings.add("disable-agent", "", k3s::Origin::config);
    CHECK_FALSE(decide(host, good_set(), {}).refused());
  }
}

TEST_CASE("room for etcd's defragmentation is wished for, and its want no reason to stay down") {
  ObservedHost host = good_host();
  SetFacts set = good_set();
  constexpr std::uint64_t k_mib = std::uint64_t{1} << 20U;
  set.snapshot_bytes = 500 * k_mib;
  host.data.free_bytes = 1600 * k_mib; // the copy, the database, its log, and not as much again
  const Decision decision = decide(host, set, {});
  CHECK_FALSE(decision.refused());
  REQUIRE(find_check(decision, "disk-space") != nullptr);
  CHECK(find_check(decision, "disk-space")->message.find("500 MiB more") != std::string::npos);
  host.data.free_bytes = 1700 * k_mib;
  CHECK(find_check(decide(host, set, {}), "disk-space") == nullptr);
  host.data.free_bytes = 1600 * k_mib;
  set.datastore = api::DatastoreKind::sqlite;
  CHECK(find_check(decide(host, set, {}), "disk-space") == nullptr);
}

TEST_CASE("the service that is put back must find its k3s") {
  ObservedHost host = good_host();
  host.absent_program = "/opt/bin/k3s";
  CHECK_FALSE(decide(host, good_set(), {}).refused()); // in place nothing is put back
  host.data = {};
  host.data.free_bytes = std::uint64_t{8} << 30U;
  const Decision decision = decide(host, good_set(), {});
  check_refused(decision, "k3s");
  const Check* const check = find_check(decision, "k3s");
  CHECK(check->message.find("/opt/bin/k3s") != std::string::npos);
  CHECK(check->hint.find("ln -s /usr/local/bin/k3s /opt/bin/k3s") != std::string::npos);
  CHECK(check->hint.find("--keep-config") != std::string::npos);
  Wishes keep;
  keep.keep_config = true;
  CHECK_FALSE(decide(host, good_set(), keep).refused());
  host.own_commands = true; // whatever they start
  CHECK_FALSE(decide(host, good_set(), {}).refused());
}

TEST_CASE("no second unit is put beside that of this host") {
  ObservedHost host = good_host();
  host.other_unit = "k3s";
  CHECK_FALSE(decide(host, good_set(), {}).refused()); // in place nothing is put back
  host.data = {};
  host.data.free_bytes = std::uint64_t{8} << 30U;
  const Decision decision = decide(host, good_set(), {});
  check_refused(decision, "service-name");
  CHECK(
      find_check(decision, "service-name")->hint.starts_with("`systemctl disable --now k3s && rm"));
  CHECK(find_check(decision, "service-name")->hint.find("--keep-config") != std::string::npos);
}

TEST_CASE("a machine that is an agent of a cluster is not made a server beside it") {
  ObservedHost host = good_host();
  host.data = {};
  host.data.free_bytes = std::uint64_t{8} << 30U;
  host.service = k3s::ServiceState::inactive;
  host.servers.clear();
  host.agents = {{815, "/usr/local/bin/k3s agent"}};
  const Decision decision = decide(host, good_set(), {});
  check_refused(decision, "service", ExitCode::busy);
  CHECK(find_check(decision, "service")->message.find("process 815") != std::string::npos);
  CHECK(find_check(decision, "service")->hint.find("disable --now k3s-agent") != std::string::npos);
  host.settings.add("disable-agent", "", k3s::Origin::config); // the two want different ports
  CHECK_FALSE(decide(host, good_set(), {}).refused());
}
