#include "base/pause.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace std::chrono_literals;

TEST_CASE("what takes long and is done again and again leaves the processor to others") {
  CHECK(sparing_pause(0s, 5s) == 5s);
  CHECK(sparing_pause(500ms, 5s) == 5s);
  CHECK(sparing_pause(6s, 5s) == 54s);
  CHECK(sparing_pause(60s, 5s) == 2min);
  CHECK(sparing_pause(60s, 1h) == 1h);
  CHECK(sparing_pause(1us, 0ms) == 1ms);
}
