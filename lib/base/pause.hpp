// Pauses of what is done again and again.
#pragma once

#include <chrono>

namespace rb {

/// Before what took `took` is done again: `least`, or so long that it takes a tenth of the time;
/// that no longer than two minutes, for somebody waits for it.
[[nodiscard]] std::chrono::milliseconds sparing_pause(std::chrono::steady_clock::duration took,
                                                      std::chrono::milliseconds least);

} // namespace rb
