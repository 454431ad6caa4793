// Whether a checkpoint of the server waits for a reader of ours. One that has to come to the end of
// the log (FULL, RESTART, TRUNCATE) takes the writers' lock, and then waits for who reads an older
// state: meanwhile nobody writes. Private to this room.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace rb::sqlite {

class CheckpointWatch {
public:
  /// Where there is no index of the log, nothing ever waits. Checkpoints of this process itself are
  /// not seen. Locks of this process on the index stay, also when the watch has gone.
  CheckpointWatch(const std::string& database, std::chrono::milliseconds patience);

  /// Asked again and again: the locks of writers and checkpoints have been held by others for as
  /// long as `patience`, as seen from here.
  [[nodiscard]] bool is_waiting();

private:
  [[nodiscard]] bool is_held(long byte) const;

  int m_index; ///< Not owned.
  std::chrono::milliseconds m_patience;
  std::optional<std::chrono::steady_clock::time_point> m_since;
};

} // namespace rb::sqlite
