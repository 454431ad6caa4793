// The hidden command `boot-namespace` of our programs: makes the namespaces of a scratch server and
// starts in them what it is told to.
#pragma once

#include "base/process.hpp"

#include <sys/types.h>

#include <map>
#include <string>
#include <string_view>

namespace rb::proof {

inline constexpr std::string_view k_helper_command = "boot-namespace";
inline constexpr int k_helper_socket = 3;

/// The whole life of the helper; the socket to the program that started it is descriptor 3. It ends
/// with that program, whatever happens to it, and everything in the namespaces ends with it.
/// Returns the exit status.
[[nodiscard]] int helper_main();

/// Programs that were started and go on, with their output in a file.
class Spawned {
public:
  /// Errors: not_found, permission_denied, io.
  [[nodiscard]] Status start(const ProcessSpec& spec, const std::string& log_path);

  /// Errors: unavailable (the first that has ended, with its exit status). Reaps all children of
  /// this process that have ended.
  [[nodiscard]] Status alive();

private:
  std::map<pid_t, std::string> m_names;
  std::string m_ended; ///< What alive() says from then on.
};

} // namespace rb::proof
