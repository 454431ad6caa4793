// The hidden command `boot-namespace` of our programs: makes the namespaces of a scratch server and
// starts in them what it is told to.
#pragma once

#include <string_view>

namespace rb::proof {

inline constexpr std::string_view k_helper_command = "boot-namespace";
inline constexpr int k_helper_socket = 3;

/// The whole life of the helper; the socket to the program that started it is descriptor 3. It ends
/// with that program, whatever happens to it, and everything in the namespaces ends with it.
/// Returns the exit status.
[[nodiscard]] int helper_main();

} // namespace rb::proof
