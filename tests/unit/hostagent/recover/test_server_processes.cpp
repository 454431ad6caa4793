#include "recover/server_processes.hpp"
#include "support/scratch.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::recover;

using namespace std::string_literals;

TEST_CASE("a k3s server is known by its command line") {
  const std::string data = "/var/lib/rancher/k3s";
  CHECK(is_server("/usr/local/bin/k3s\0server\0"s, data));
  CHECK(is_server("/usr/local/bin/k3s server", data)); // the title that k3s gives itself
  CHECK(is_server("/var/lib/rancher/k3s/data/x/bin/k3s-server\0"s, data));
  CHECK(is_server("k3s\0server\0--data-dir\0/var/lib/rancher/k3s/\0"s, data));
  CHECK_FALSE(is_server("k3s\0server\0--data-dir=/tmp/scratch\0"s, data)); // a drill beside it
  CHECK_FALSE(is_server("k3s\0agent\0"s, data));
  CHECK_FALSE(is_server("k3s\0etcd-snapshot\0save\0"s, data));
  CHECK_FALSE(is_server("vim\0k3s server\0"s, data));
  CHECK_FALSE(is_server("", data));
}

TEST_CASE("processes are found in /proc") {
  const test::Scratch proc;
  proc.write("4711/cmdline", "/usr/local/bin/k3s\0server\0"s);
  proc.write("12/cmdline", "bash\0"s);
  proc.write("self/cmdline", "k3s\0server\0"s); // not a number
  ProcServerProcesses processes(proc.path());
  const auto found = processes.find("/var/lib/rancher/k3s");
  REQUIRE(found);
  REQUIRE(found->size() == 1);
  CHECK(found->front().pid == 4711);
}

TEST_CASE("a /proc that cannot be read is an error, not an empty host") {
  const test::Scratch scratch;
  ProcServerProcesses processes(scratch.path("none"));
  CHECK_FALSE(processes.find("/var/lib/rancher/k3s"));
}
