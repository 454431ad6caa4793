// RB_SEED and RB_SOAK_STEPS repeat or lengthen it.
#include "soak_world.hpp"

#include <doctest/doctest.h>
#include <spdlog/spdlog.h>

#include <malloc.h>

using namespace rb;

namespace {

std::size_t steps_wanted() {
  const char* given = std::getenv("RB_SOAK_STEPS");
  return given == nullptr ? 10'000 : std::strtoul(given, nullptr, 10);
}

} // namespace

TEST_CASE("10,000 steps against an API server that misbehaves: no run is begun twice, one at a "
          "time, everything comes to rest, and memory does not grow") {
  spdlog::set_level(spdlog::level::off);
  test::Random random = test::Random::seeded();
  test::SoakWorld world(random);
  const std::size_t steps = steps_wanted();
  std::size_t settled_bytes = 0;
  for (std::size_t step = 0; step < steps; ++step) {
    CAPTURE(step);
    world.step();
    if (step == steps / 4) {
      settled_bytes = ::mallinfo2().uordblks;
    }
  }
  world.come_to_rest();
  const std::size_t end_bytes = ::mallinfo2().uordblks;

  CHECK(world.objects() == 0);
  CHECK(world.counts().runs_begun > steps / 100);
  CHECK(world.counts().killed_in_helm > steps / 1000);
  // The test's own memory of what was begun, the Helm steps with it, is some 300 bytes a run.
  CHECK(end_bytes < settled_bytes + world.counts().runs_begun * 500 + (256U << 10U));
  std::size_t faults = 0;
  for (const auto& [what, count] : world.faults()) {
    MESSAGE(what << ": " << count);
    faults += count;
  }
  MESSAGE(steps << " steps, " << world.counts().requests << " requests, "
                << world.counts().runs_begun << " runs begun, " << world.counts().results
                << " results told, " << world.counts().restarts << " restarts, " << faults
                << " faults; memory " << settled_bytes / 1024 << " KiB after a quarter, "
                << end_bytes / 1024 << " KiB at the end");
  CHECK(faults > steps / 20);
}
