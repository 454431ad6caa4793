#include "datastore/etcd/random_reader.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <unistd.h>

using namespace rb;
using namespace rb::etcd;

TEST_CASE("FileReader notices a file that shrinks while it is read") {
  char name[] = "/tmp/random-reader-XXXXXX";
  Fd fd(::mkstemp(name));
  REQUIRE(fd.valid());
  REQUIRE(write_all(fd, Bytes(8192, 7), name));
  auto again = open_file(name, O_RDONLY);
  REQUIRE(again);
  auto reader = FileReader::open(std::move(*again), name);
  REQUIRE(reader);
  Bytes buffer(4096);
  CHECK((*reader)->read(4096, buffer));
  REQUIRE(::ftruncate(fd.get(), 5000) == 0);
  const Status status = (*reader)->read(4096, buffer);
  REQUIRE(!status);
  CHECK(status.error().code == ErrorCode::corrupt);
  CHECK((*reader)->size() == 8192);
  ::unlink(name);
}

TEST_CASE("FileReader refuses what is not a regular file") {
  auto fd = open_file("/tmp", O_RDONLY | O_DIRECTORY);
  REQUIRE(fd);
  const auto reader = FileReader::open(std::move(*fd), "/tmp");
  REQUIRE(!reader);
  CHECK(reader.error().code == ErrorCode::unsupported);
}

TEST_CASE("MemoryReader does not read past its end") {
  const Bytes bytes{1, 2, 3};
  MemoryReader reader(bytes);
  Bytes two(2);
  CHECK(reader.read(1, two));
  CHECK(two == Bytes{2, 3});
  CHECK(!reader.read(2, two));
  CHECK(!reader.read(~std::uint64_t{0}, two));
}
