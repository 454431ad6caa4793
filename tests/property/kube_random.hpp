// A seeded source of chance for the property tests of lib/kube; RB_SEED repeats a run.
#pragma once

#include "support/random.hpp"

namespace rb::kube::test {

class Chance {
public:
  explicit Chance(std::uint64_t seed) : m_engine(seed) {}

  /// The seed of this run, printed once.
  static std::uint64_t seed() {
    static const std::uint64_t made = rb::test::Random::seeded().seed();
    return made;
  }

  /// 0 to `limit`, both included.
  std::size_t up_to(std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit)(m_engine);
  }
  bool once_in(std::size_t n) { return up_to(n - 1) == 0; }
  double fraction() { return std::uniform_real_distribution<double>(0.0, 1.0)(m_engine); }

private:
  std::mt19937_64 m_engine;
};

} // namespace rb::kube::test
