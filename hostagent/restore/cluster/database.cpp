#include "restore/cluster/database.hpp"

#include "restore/cluster/file_changes.hpp"

namespace rb::cluster {

namespace {

constexpr const char* k_state = "/state.db";
constexpr const char* k_logs[] = {"/state.db-wal", "/state.db-journal"};
constexpr const char* k_index = "/state.db-shm"; // SQLite makes it anew from the log

Status remove_logs(const std::string& directory) {
  for (const char* const log : k_logs) {
    RB_TRY(remove_path(directory + log));
  }
  return {};
}

} // namespace

const Database& database_of(api::DatastoreKind kind) {
  switch (kind) {
  case api::DatastoreKind::etcd:
    return etcd_database();
  case api::DatastoreKind::sqlite:
    return sqlite_database();
  }
  return etcd_database();
}

std::string free_name(const std::string& path) {
  std::string name = path;
  for (int number = 1; exists(name); ++number) {
    name = path + "-" + std::to_string(number);
  }
  return name;
}

std::string seconds_text(const Clock& clock) {
  return std::to_string(clock.now().time_since_epoch().count());
}

bool has_state(const std::string& directory) {
  return exists(directory + k_state);
}

Status move_state(const std::string& from, const std::string& to) {
  if (!has_state(to)) {
    if (!has_state(from)) {
      return {};
    }
    RB_TRY(make_directories(to, 0700));
    RB_TRY(remove_logs(to)); // the second name of a try that was cut off
    for (const char* const log : k_logs) {
      if (exists(from + log)) {
        RB_TRY(link_path(from + log, to + log));
      }
    }
    RB_TRY(move_path(from + k_state, to + k_state));
  }
  if (!has_state(from)) { // else another one was made there meanwhile, and the log is its
    RB_TRY(remove_logs(from));
    RB_TRY(remove_path(from + k_index));
  }
  return {};
}

Status remove_state(const std::string& directory) {
  RB_TRY(remove_path(directory + k_state));
  RB_TRY(remove_logs(directory));
  return remove_path(directory + k_index);
}

Status put_state(const std::string& copy, const std::string& directory) {
  RB_TRY(make_directories(directory, 0700));
  RB_TRY(remove_logs(directory));
  RB_TRY(remove_path(directory + k_index));
  return copy_large(copy, directory + k_state);
}

} // namespace rb::cluster
