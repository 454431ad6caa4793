// Whether a checkpoint of the server waits for a reader of ours. One that has to come to the end of
// the log (FULL, RESTART, TRUNCATE) takes the writers' lock, and then waits for who reads an older
// state: meanwhile nobody writes. Private to this room.
#pragma once

#include "base/fd.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace rb::sqlite {

class CheckpointWatch {
public:
  /// Made before the connection that reads, and gone after it: to close any descriptor of the index
  /// of the log drops all locks of this process on it (fcntl(2)). Where there is no index, nothing
  /// ever waits. Checkpoints of this process itself are not seen.
  CheckpointWatch(const std::string& database, std::chrono::milliseconds patience);

  /// Asked again and again: the locks of writers and checkpoints have been held by others for as
  /// long as `patience`, as seen from here.
  [[nodiscard]] bool is_waiting();

private:
  [[nodiscard]] bool is_held(long byte) const;

  Fd m_index;
  std::chrono::milliseconds m_patience;
  std::optional<std::chrono::steady_clock::time_point> m_since;
};

} // namespace rb::sqlite
