#include "base/pause.hpp"

#include <algorithm>

namespace rb {

std::chrono::milliseconds sparing_pause(std::chrono::steady_clock::duration took,
                                        std::chrono::milliseconds least) {
  constexpr std::chrono::milliseconds k_longest = std::chrono::minutes(2);
  const auto tenth = std::chrono::ceil<std::chrono::milliseconds>(9 * took);
  return std::max(least, std::min(tenth, k_longest));
}

} // namespace rb
