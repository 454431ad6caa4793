// Random numbers for property tests: seeded by the clock or by RB_SEED, the seed always printed.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>

namespace rb::test {

class Random {
public:
  explicit Random(std::uint64_t seed) : m_seed(seed), m_engine(seed) {}

  /// RB_SEED where it is set. Prints the seed.
  static Random seeded() {
    const char* given = std::getenv("RB_SEED");
    const auto now = std::chrono::system_clock::now().time_since_epoch().count();
    const std::uint64_t seed =
        given != nullptr ? std::strtoull(given, nullptr, 10) : static_cast<std::uint64_t>(now);
    std::printf("RB_SEED=%llu\n", static_cast<unsigned long long>(seed));
    return Random(seed);
  }

  [[nodiscard]] std::uint64_t seed() const { return m_seed; }
  std::uint64_t next() { return m_engine(); }
  /// 0 <= result < limit; `limit` is not 0.
  std::size_t below(std::size_t limit) { return static_cast<std::size_t>(next() % limit); }

private:
  std::uint64_t m_seed;
  std::mt19937_64 m_engine;
};

} // namespace rb::test
