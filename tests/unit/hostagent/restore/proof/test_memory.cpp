// The memory of a process and its descendants; what is left below the memory limit of a container,
// in control groups of both versions.
#include "restore/proof/memory.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <filesystem>

namespace {

using namespace rb;
using namespace rb::proof;
using namespace rb::test;

TEST_CASE("version 2: the limit, less what is held; cached files are not") {
  const TemporaryDirectory root;
  write_file(root.file("memory.max"), "1073741824\n");
  write_file(root.file("memory.current"), "500000000\n");
  write_file(root.file("memory.stat"), "anon 100000000\nfile 400000000\nfile_mapped 7\n");
  CHECK(container_headroom_bytes(root.path()) == 1073741824U - 100000000U);
  write_file(root.file("memory.current"), "2000000000\n");
  CHECK(container_headroom_bytes(root.path()) == 0U);
}

TEST_CASE("version 1: the same by other names") {
  const TemporaryDirectory root;
  std::filesystem::create_directory(root.file("memory"));
  write_file(root.file("memory/memory.limit_in_bytes"), "1000\n");
  write_file(root.file("memory/memory.usage_in_bytes"), "700\n");
  write_file(root.file("memory/memory.stat"), "cache 1\ntotal_cache 500\n");
  CHECK(container_headroom_bytes(root.path()) == 800U);
}

TEST_CASE("no limit, no group, or what cannot be read: nothing is known") {
  const TemporaryDirectory root;
  CHECK_FALSE(container_headroom_bytes(root.path()));
  write_file(root.file("memory.current"), "500000000\n");
  CHECK_FALSE(container_headroom_bytes(root.path()));
  write_file(root.file("memory.max"), "max\n");
  CHECK_FALSE(container_headroom_bytes(root.path()));
}

TEST_CASE("on this host something can be used") {
  CHECK(usable_memory_bytes() > 0);
}

void fake_process(const std::string& proc, int pid, int parent, const std::string& pss) {
  const std::string directory = proc + "/" + std::to_string(pid);
  std::filesystem::create_directories(directory);
  write_file(directory + "/stat",
             std::to_string(pid) + " (a) (b c) S " + std::to_string(parent) + " 1");
  if (pss.empty()) {
    write_file(directory + "/status", "Name:\tx\nVmRSS:\t    8 kB\n");
  } else {
    write_file(directory + "/smaps_rollup", "00-ff ---p\nRss:  99 kB\nPss:   " + pss + " kB\n");
  }
}

TEST_CASE("memory is that of a process and all its descendants") {
  const TemporaryDirectory proc;
  fake_process(proc.path(), 10, 1, "100");
  fake_process(proc.path(), 11, 10, "20");
  fake_process(proc.path(), 12, 11, "");
  fake_process(proc.path(), 13, 1, "7000");
  CHECK(tree_memory_bytes(10, proc.path()) == (100 + 20 + 8) * 1024);
  CHECK(tree_memory_bytes(99, proc.path()) == 0);
  write_file(proc.file("meminfo"), "MemTotal: 5 kB\nMemAvailable:  4096 kB\n");
  CHECK(available_memory_bytes(proc.path()) == std::uint64_t{4} << 20U);
  CHECK(available_memory_bytes("/nowhere") == 0);
}

} // namespace
