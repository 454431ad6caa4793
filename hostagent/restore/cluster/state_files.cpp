#include "restore/cluster/state_files.hpp"

#include "restore/cluster/file_changes.hpp"
#include "set/opened_set.hpp"

#include "base/open_beneath.hpp"
#include "base/random_reader.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace rb::cluster {

namespace {

constexpr const char* k_state = "/state.db";
constexpr const char* k_log = "/state.db-wal";
constexpr const char* k_index = "/state.db-shm"; // SQLite makes it anew from the log
constexpr std::size_t k_piece_bytes = std::size_t{1} << 20U;

/// Whole or not at all.
Status put_file(const std::string& from, const std::string& to) {
  RB_TRY_ASSIGN(Fd fd, open_regular(from));
  RB_TRY_ASSIGN(const auto reader, FileReader::open(std::move(fd), from));
  RB_TRY_ASSIGN(set::OutputFile file, set::OutputFile::create(to, /*replace=*/true));
  Bytes piece(k_piece_bytes);
  for (std::uint64_t at = 0; at < reader->size();) {
    const auto size =
        static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), reader->size() - at));
    const MutableByteView part = MutableByteView(piece).first(size);
    RB_TRY(reader->read(at, part));
    RB_TRY(file.write(part));
    at += size;
  }
  return file.commit();
}

/// A second name; where the file system has none, a copy.
Status link_log(const std::string& from, const std::string& to) {
  if (::link((from + k_log).c_str(), (to + k_log).c_str()) == 0) {
    return sync_directory(to);
  }
  if (errno == EPERM || errno == EOPNOTSUPP || errno == EMLINK) {
    return put_file(from + k_log, to + k_log);
  }
  return system_error(errno, to + k_log);
}

} // namespace

bool has_state(const std::string& directory) {
  return exists(directory + k_state);
}

Status move_state(const std::string& from, const std::string& to) {
  if (!has_state(to)) {
    if (!has_state(from)) {
      return {};
    }
    RB_TRY(make_directories(to, 0700));
    RB_TRY(remove_path(to + k_log)); // the second name of a try that was cut off
    if (exists(from + k_log)) {
      RB_TRY(link_log(from, to));
    }
    RB_TRY(move_path(from + k_state, to + k_state));
  }
  if (!has_state(from)) { // else another one was made there meanwhile, and the log is its
    RB_TRY(remove_path(from + k_log));
    RB_TRY(remove_path(from + k_index));
  }
  return sync_directory(from);
}

Status remove_state(const std::string& directory) {
  for (const char* const name : {k_state, k_log, k_index}) {
    RB_TRY(remove_path(directory + name));
  }
  return {};
}

Status put_state(const std::string& copy, const std::string& directory) {
  RB_TRY(make_directories(directory, 0700));
  RB_TRY(remove_path(directory + k_log));
  RB_TRY(remove_path(directory + k_index));
  return put_file(copy, directory + k_state);
}

} // namespace rb::cluster
