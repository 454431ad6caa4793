#include "unit/age/support.hpp"

#include "age/io.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace rb;
using namespace rb::age;

TEST_CASE("BufferedSource: peeks, lines and reads together give every byte once") {
  const Bytes bytes = test::pattern(20000);
  MemorySource memory(bytes);
  BufferedSource source(memory);
  Bytes seen;
  for (std::size_t step = 1; seen.size() < bytes.size(); step = step * 3 % 9973) {
    const auto peeked = source.peek(step);
    REQUIRE(peeked);
    const Bytes promised(peeked->begin(), peeked->end());
    Bytes buffer(step);
    const std::size_t got = source.read(buffer).value();
    REQUIRE(got >= promised.size());
    CHECK(std::equal(promised.begin(), promised.end(), buffer.begin()));
    seen.insert(seen.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(got));
  }
  CHECK(seen == bytes);
  CHECK(source.peek(1)->empty());
}

TEST_CASE("BufferedSource::read_line: keeps the newline, and the lack of one at the end") {
  MemorySource memory(as_bytes("one\n\ntwo\nrest"));
  BufferedSource source(memory);
  CHECK(source.read_line(100).value() == "one\n");
  CHECK(source.read_line(100).value() == "\n");
  CHECK(source.read_line(100).value() == "two\n");
  CHECK(source.read_line(100).value() == "rest");
  CHECK(source.read_line(100).value().empty());
}

TEST_CASE("BufferedSource::read_line: a long line gives one byte more than the limit") {
  const std::string line(10000, 'x');
  MemorySource memory(as_bytes(line));
  BufferedSource source(memory);
  CHECK(source.read_line(5000).value().size() == 5001);
  MemorySource exact(as_bytes("12345\n"));
  BufferedSource exact_source(exact);
  CHECK(exact_source.read_line(6).value() == "12345\n");
}
