// A copy of an SQLite database that a server writes to meanwhile: the online backup of libsqlite3
// (https://sqlite.org/backup.html) over a connection that only reads.
#pragma once

#include "base/result.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

namespace rb::sqlite {

struct CopyOrder {
  std::string source; ///< "…/server/db/state.db", or a link; the log lies beside the file itself.
  std::string target; ///< Must not be there; gets mode 0600.
  /// How long a lock of somebody else is waited for.
  std::chrono::milliseconds patience{10'000};
  /// How long a checkpoint of the server, and with it every writer, may wait for the copy.
  std::chrono::milliseconds in_the_way{1'000};
  /// Free pages of so many bytes are not copied, where they are most of a database: see
  /// copy_online().
  std::uint64_t spare_bytes = std::uint64_t{64} << 20U;
};

using OnPages = std::function<void(std::uint64_t done_bytes, std::uint64_t total_bytes)>;

/// The database as it is at one moment, its write-ahead log included. Nothing is written to the
/// source, and no checkpoint is made: two that make one at a time can lose changes in SQLite before
/// 3.51.3 (https://sqlite.org/wal.html, "The WAL-Reset Bug"). All pages are read from one snapshot:
/// a copy in several transactions would begin anew with every write in between, and never end on a
/// busy server. There are no pauses either: writers do not wait for a reader, but kine's compaction
/// (PRAGMA wal_checkpoint(FULL), every five minutes) makes them wait for the oldest one, for up to
/// 30 s. A copy that it waits for begins anew, at most twice: `on_pages` begins again, too.
///
/// Of a database that once grew, and most of which is free pages by now (kine's compaction gives
/// none back to the disk), only what is in use is copied, by VACUUM INTO: ids, and so revisions,
/// stay.
///
/// While it runs, no other file descriptor of this process may be closed on the source: that would
/// drop the locks of SQLite (fcntl(2)).
///
/// After a failure the target is not there. Errors: not_found (the database, or the log of one that
/// needs it), already_exists (the target), corrupt, busy (locked), no_space, cancelled, io
/// (also: the source was replaced meanwhile).
[[nodiscard]] Status
copy_online(const CopyOrder& order, const std::stop_token& stop, const OnPages& on_pages = {});

/// The bytes that a copy will have: the pages of the database as its newest change left it, be they
/// in the file or in the log, without those that copy_online() leaves out. Not what the two have on
/// the disk: a log that no checkpoint gets to the end of grows without a bound (k3s issue 3660: 240
/// GB beside a file of 4). Errors: those of the source, as in copy_online().
[[nodiscard]] Result<std::uint64_t> copy_bytes(const std::string& source,
                                               std::chrono::milliseconds patience);

// Whether a checkpoint of the server waits for a reader of ours. One that has to come to the end of
// the log (FULL, RESTART, TRUNCATE) takes the writers' lock, and then waits for who reads an older
// state: meanwhile nobody writes.

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
