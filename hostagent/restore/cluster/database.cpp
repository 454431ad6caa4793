#include "restore/cluster/database.hpp"

#include "restore/cluster/file_changes.hpp"

namespace rb::cluster {

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

} // namespace rb::cluster
