// What is left below the memory limit of a container, in control groups of both versions.
#include "restore/proof/container_memory.hpp"
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

} // namespace
