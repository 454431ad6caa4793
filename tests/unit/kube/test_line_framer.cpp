#include "kube/line_framer.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace rb;
using namespace rb::kube;

namespace {

struct Lines {
  std::vector<std::string> seen;
  LineFramer::LineSink sink = [this](std::string_view line) {
    seen.emplace_back(line);
    return true;
  };
};

} // namespace

TEST_CASE("a line comes out when its line feed is there, in however many pieces") {
  LineFramer framer(100);
  Lines lines;
  for (const char* piece : {"{\"a\"", ":1}", "\n{\"b\":2}\n{\"c", "\":3}", "\n"}) {
    REQUIRE(framer.push(piece, lines.sink));
  }
  CHECK(lines.seen == std::vector<std::string>{"{\"a\":1}", "{\"b\":2}", "{\"c\":3}"});
  CHECK(framer.pending_bytes() == 0);
}

TEST_CASE("empty lines are dropped and a carriage return is no end of a line") {
  LineFramer framer(100);
  Lines lines;
  REQUIRE(framer.push("\n\na\rb\n\n", lines.sink));
  CHECK(lines.seen == std::vector<std::string>{"a\rb"});
}

TEST_CASE("a line of the limit passes, one byte more does not") {
  LineFramer framer(4);
  Lines lines;
  CHECK(framer.push("abcd\n", lines.sink));
  CHECK(framer.push("ab", lines.sink));
  CHECK(framer.push("cd\n", lines.sink));
  CHECK(lines.seen.size() == 2);
  CHECK(framer.push("abc", lines.sink));
  const auto refused = framer.push("de", lines.sink);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::unsupported);
}

TEST_CASE("the sink ends the framer") {
  LineFramer framer(100);
  int seen = 0;
  const auto more = framer.push("a\nb\nc\n", [&](std::string_view) { return ++seen < 2; });
  CHECK_FALSE(more.value());
  CHECK(seen == 2);
}
