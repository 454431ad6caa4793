#include "datastore/sqlite/online_copy.hpp"

#include "datastore/sqlite/connection.hpp"
#include "datastore/sqlite/kine.hpp"

#include "base/fd.hpp"
#include "base/open_beneath.hpp"
#include "base/random_reader.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

namespace rb::sqlite {

namespace {

/// 1 MiB with kine's pages of 4 KiB: between two of them it is seen whether to stop.
constexpr int k_pages_a_step = 256;

/// A copy that takes longer than the five minutes between two compactions would begin for ever.
constexpr int k_begun_at_most = 3;

/// More takes a while, in which it gives way to nothing.
constexpr std::uint64_t k_compacted_at_most = std::uint64_t{128} << 20U;

/// fileformat2, 1.3: the file format read version; 2 is for a write-ahead log.
constexpr std::size_t k_read_version_offset = 19;
constexpr std::uint8_t k_logged = 2;

/// Removes the target unless it was kept.
class Target {
public:
  explicit Target(std::string path) : m_path(std::move(path)) {}
  ~Target() {
    if (!m_kept) {
      ::unlink(m_path.c_str());
    }
  }
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;
  Target(Target&&) = delete;
  Target& operator=(Target&&) = delete;

  void keep() { m_kept = true; }

private:
  std::string m_path;
  bool m_kept = false;
};

struct FinishBackup {
  void operator()(sqlite3_backup* backup) const { ::sqlite3_backup_finish(backup); }
};

/// SQLite follows a link, and has the log beside what that leads to.
std::string file_itself(const std::string& path) {
  std::error_code error;
  const std::filesystem::path real = std::filesystem::canonical(path, error);
  return error ? path : real.string();
}

/// A server has its log open as long as it runs. Without it the newest changes are lost, and a
/// connection would make an empty one. The file is closed again before SQLite locks it.
Status check_source(const std::string& path) {
  RB_TRY_ASSIGN(Fd fd, open_regular(path));
  RB_TRY_ASSIGN(const auto reader, FileReader::open(std::move(fd), path));
  Bytes header(k_read_version_offset + 1);
  if (reader->size() < header.size()) {
    return Error{ErrorCode::corrupt, path + ": the file is empty or cut off", {}};
  }
  RB_TRY(reader->read(0, header));
  if (as_text(header).substr(0, k_magic.size()) != k_magic) {
    return Error{ErrorCode::corrupt, path + ": the file is not an SQLite database", {}};
  }
  const std::string log = file_itself(path) + "-wal";
  if (header[k_read_version_offset] == k_logged && ::access(log.c_str(), F_OK) != 0) {
    return Error{ErrorCode::not_found,
                 log + ": the write-ahead log of the database is missing, and with it the newest "
                       "changes",
                 "a server that runs has one: see that k3s runs, and that nothing removes files "
                 "from its directory; a restart of k3s makes another one"};
  }
  return {};
}

Status create_target(const std::string& path) {
  RB_TRY(open_file(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  return {};
}

/// SQLite itself sees whether its open file is still the one with that name.
Status check_not_replaced(const Connection& source, const std::string& path) {
  int moved = 0;
  ::sqlite3_file_control(source.handle(), "main", SQLITE_FCNTL_HAS_MOVED, &moved);
  return moved == 0 ? Status()
                    : Error{ErrorCode::io,
                            path + ": it was replaced while it was copied",
                            "start the backup again when nobody restores this server"};
}

Result<std::uint64_t> number(const Connection& source, const char* pragma) {
  RB_TRY_ASSIGN(Statement statement, source.prepare(pragma));
  RB_TRY(statement.step());
  return static_cast<std::uint64_t>(statement.integer(0));
}

struct Sizes {
  std::uint64_t page_bytes = 0;
  std::uint64_t used_bytes = 0;
  std::uint64_t free_bytes = 0;

  /// Most of it is free.
  [[nodiscard]] bool has_spare(std::uint64_t spare_bytes) const {
    return free_bytes >= spare_bytes && free_bytes > used_bytes &&
           used_bytes <= k_compacted_at_most;
  }
};

Result<Sizes> sizes_of(const Connection& source) {
  RB_TRY_ASSIGN(const std::uint64_t page_bytes, number(source, "PRAGMA page_size"));
  RB_TRY_ASSIGN(const std::uint64_t free, number(source, "PRAGMA freelist_count"));
  RB_TRY_ASSIGN(const std::uint64_t pages, number(source, "PRAGMA page_count"));
  return Sizes{page_bytes, (pages - std::min(free, pages)) * page_bytes, free * page_bytes};
}

/// False: it gave way to what `watch` (null: nothing) has seen.
Result<bool> copy_pages(const Connection& source,
                        const Connection& target,
                        CheckpointWatch* watch,
                        const std::stop_token& stop,
                        const OnPages& on_pages) {
  const std::unique_ptr<sqlite3_backup, FinishBackup> backup(
      ::sqlite3_backup_init(target.handle(), "main", source.handle(), "main"));
  if (!backup) {
    return target.error_of(::sqlite3_errcode(target.handle()));
  }
  RB_TRY_ASSIGN(const std::uint64_t page_bytes, number(source, "PRAGMA page_size"));
  int code = SQLITE_OK;
  while (code == SQLITE_OK && !stop.stop_requested()) {
    if (watch != nullptr && watch->is_waiting()) {
      return false;
    }
    code = ::sqlite3_backup_step(backup.get(), k_pages_a_step);
    if (on_pages && (code == SQLITE_OK || code == SQLITE_DONE)) {
      const auto total = static_cast<std::uint64_t>(::sqlite3_backup_pagecount(backup.get()));
      const auto rest = static_cast<std::uint64_t>(::sqlite3_backup_remaining(backup.get()));
      on_pages((total - rest) * page_bytes, total * page_bytes);
    }
  }
  if (code == SQLITE_OK) {
    return Error{ErrorCode::cancelled, "told to stop", {}};
  }
  const int primary = code & 0xff;
  if (code != SQLITE_DONE) {
    return primary == SQLITE_FULL || code == SQLITE_IOERR_WRITE ? target.error_of(code)
                                                                : source.error_of(code);
  }
  return true;
}

/// All pages from one snapshot: of the first moment, or of a later one.
Status copy_whole(const Connection& source,
                  const std::string& path,
                  CheckpointWatch& watch,
                  const std::stop_token& stop,
                  const OnPages& on_pages) {
  RB_TRY_ASSIGN(const Connection target, Connection::open_file(path, Access::write, {}, stop));
  // It is read back and checked as a whole; half of it is never used. (OFF would be refused: the
  // connection is defensive.) Nothing lies beside it that nobody would find after a kill.
  RB_TRY(target.run("PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF"));
  for (int begun = 1;; ++begun) {
    RB_TRY(source.run("BEGIN; SELECT count(*) FROM sqlite_master"));
    CheckpointWatch* const gives_way_to = begun < k_begun_at_most ? &watch : nullptr;
    RB_TRY_ASSIGN(const bool whole, copy_pages(source, target, gives_way_to, stop, on_pages));
    if (whole) {
      return {};
    }
    RB_TRY(source.run("ROLLBACK"));
  }
}

/// What is in use, from one snapshot. A journal lies beside it meanwhile, PATH-journal, in which
/// there are no pages: all of them are new.
Status copy_used(const Connection& source, const std::string& path) {
  RB_TRY_ASSIGN(Statement into, source.prepare("VACUUM INTO ?1"));
  into.bind(1, path);
  RB_TRY(into.step());
  return {};
}

// Bytes of the index that are locked: https://sqlite.org/walformat.html, 2.3.
constexpr long k_write_lock = 120;
constexpr long k_checkpoint_lock = 121;

using FileId = std::pair<dev_t, ino_t>;

/// -1: there is none. Its descriptor is not closed as long as the file has a name: to close any
/// descriptor of a file drops all locks of this process on it (fcntl(2)), those of whoever else has
/// the database open here, and without them the next one to open it empties the index.
int index_of(const std::string& path) {
  static std::mutex mutex;
  static std::map<FileId, Fd> kept;
  const std::lock_guard lock(mutex);
  struct stat status {};
  std::erase_if(kept, [&](const auto& entry) {
    return ::fstat(entry.second.get(), &status) == 0 && status.st_nlink == 0;
  });
  if (::stat(path.c_str(), &status) != 0) {
    return -1;
  }
  const FileId id{status.st_dev, status.st_ino};
  if (!kept.contains(id)) {
    Fd opened(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!opened.valid()) {
      return -1;
    }
    kept.emplace(id, std::move(opened));
  }
  return kept.at(id).get();
}

} // namespace

Status copy_online(const CopyOrder& order, const std::stop_token& stop, const OnPages& on_pages) {
  RB_TRY(check_source(order.source));
  RB_TRY(create_target(order.target));
  Target made(order.target);
  CheckpointWatch watch(file_itself(order.source), order.in_the_way);
  RB_TRY_ASSIGN(const Connection source,
                Connection::open_file(order.source, Access::read, order.patience, stop));
  RB_TRY_ASSIGN(const Sizes sizes, sizes_of(source));
  RB_TRY(sizes.has_spare(order.spare_bytes)
             ? copy_used(source, order.target)
             : copy_whole(source, order.target, watch, stop, on_pages));
  RB_TRY(check_not_replaced(source, order.source));
  made.keep();
  return {};
}

Result<std::uint64_t> copy_bytes(const std::string& source, std::chrono::milliseconds patience) {
  RB_TRY(check_source(source));
  RB_TRY_ASSIGN(const Connection database,
                Connection::open_file(source, Access::read, patience, {}));
  RB_TRY_ASSIGN(const Sizes sizes, sizes_of(database));
  const bool spare = sizes.has_spare(CopyOrder().spare_bytes);
  return sizes.used_bytes + (spare ? 0 : sizes.free_bytes);
}

CheckpointWatch::CheckpointWatch(const std::string& database, std::chrono::milliseconds patience)
    : m_index(index_of(database + "-shm")), m_patience(patience) {}

bool CheckpointWatch::is_held(long byte) const {
  struct flock lock {};
  lock.l_type = F_RDLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = byte;
  lock.l_len = 1;
  return m_index >= 0 && ::fcntl(m_index, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

bool CheckpointWatch::is_waiting() {
  if (!is_held(k_checkpoint_lock) || !is_held(k_write_lock)) {
    m_since.reset();
    return false;
  }
  const auto now = std::chrono::steady_clock::now();
  m_since = m_since.value_or(now);
  return now - *m_since >= m_patience;
}

} // namespace rb::sqlite
