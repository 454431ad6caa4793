#include "datastore/detect.hpp"

#include "datastore/etcd/snapshot.hpp"

#include "api/reason.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>

namespace rb::datastore {

namespace {

Error nothing_here(std::string message, std::string hint) {
  return Error{ErrorCode::unsupported, std::move(message), std::move(hint)}.because(
      api::Reason::datastore_not_etcd);
}

bool leads_to_nothing(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::is_symlink(path, ignored) && !std::filesystem::exists(path, ignored);
}

using FileTime = std::filesystem::file_time_type;

/// Of the database and what is beside it; nothing where it cannot be told.
std::optional<FileTime> last_written(const std::string& database) {
  std::optional<FileTime> last;
  for (const char* const end : {"", "-wal", "-journal"}) {
    std::error_code error;
    const FileTime time = std::filesystem::last_write_time(database + end, error);
    if (!error) {
      last = std::max(last.value_or(time), time);
    }
  }
  return last;
}

} // namespace

Endpoint endpoint_of(const k3s::ServerSettings& settings, const std::string& data_dir) {
  const std::string named = settings.value("datastore-endpoint");
  if (named.empty()) {
    return Endpoint::none;
  }
  if (k3s::is_embedded_etcd(named)) {
    return Endpoint::own_etcd;
  }
  const auto file = k3s::sqlite_file_of(named);
  if (!file) {
    return Endpoint::external;
  }
  const std::filesystem::path server = std::filesystem::path(data_dir) / "server"; // k3s runs there
  const bool own = file->empty() || (server / *file).lexically_normal() ==
                                        (server / "db" / "state.db").lexically_normal();
  return own ? Endpoint::own_sqlite : Endpoint::other_sqlite;
}

bool fits(Endpoint endpoint, api::DatastoreKind kind) {
  return endpoint == Endpoint::none ||
         (endpoint == Endpoint::own_etcd && kind == api::DatastoreKind::etcd) ||
         (endpoint == Endpoint::own_sqlite && kind == api::DatastoreKind::sqlite);
}

Probe look_for(const std::string& data_dir, const k3s::ServerSettings& settings) {
  const std::filesystem::path database = std::filesystem::path(data_dir) / "server" / "db";
  std::error_code ignored;
  return {std::filesystem::is_directory(data_dir, ignored),
          std::filesystem::is_directory(database / "etcd" / "member" / "wal", ignored),
          std::filesystem::is_regular_file(database / "state.db", ignored),
          endpoint_of(settings, data_dir),
          settings.is_on("disable-etcd"),
          leads_to_nothing(database.parent_path()) || leads_to_nothing(database) ||
              leads_to_nothing(database / "etcd") || leads_to_nothing(database / "state.db"),
          std::filesystem::is_socket(database.parent_path() / "kine.sock", ignored)};
}

Place detect(const Probe& probe) {
  if (!probe.data_directory) {
    return Place::no_directory;
  }
  if (probe.etcd_disabled && probe.endpoint == Endpoint::none) {
    return Place::elsewhere;
  }
  // k3s takes the etcd that is on its disk, whatever else is there or configured: an SQLite file
  // after `--cluster-init`, a datastore-endpoint that was written later.
  if (probe.etcd_wal_directory && !probe.etcd_disabled) {
    return Place::embedded_etcd;
  }
  if (probe.endpoint == Endpoint::external) {
    return Place::external;
  }
  if (probe.endpoint == Endpoint::other_sqlite) {
    return Place::sqlite_elsewhere;
  }
  if (probe.sqlite_file) {
    return Place::sqlite;
  }
  if (probe.link_to_nothing) {
    return Place::hidden;
  }
  // Who says so (a wrapper, a unit of NixOS) is not always to be seen.
  return probe.kine_socket ? Place::external : Place::none;
}

api::Datastore reported_as(Place place) {
  switch (place) {
  case Place::embedded_etcd:
    return api::Datastore::embedded_etcd;
  case Place::sqlite:
    return api::Datastore::sqlite;
  case Place::external:
  case Place::sqlite_elsewhere:
    return api::Datastore::external;
  case Place::hidden:
    return api::Datastore::unknown; // a run says why
  case Place::elsewhere:
  case Place::none:
  case Place::no_directory:
    return api::Datastore::none;
  }
  return api::Datastore::unknown;
}

Result<api::DatastoreKind> kind_at(Place place, const std::string& data_dir) {
  switch (place) {
  case Place::embedded_etcd:
    return api::DatastoreKind::etcd;
  case Place::sqlite:
    return api::DatastoreKind::sqlite;
  case Place::external:
    return Error{ErrorCode::unsupported,
                 "datastore-endpoint is set: this k3s server keeps its state in a database of its "
                 "own, which is not on this host",
                 "back that database up with its own tools (pg_dump, mysqldump, etcdctl snapshot "
                 "save, nats stream backup), and keep that with this set, whose server token opens "
                 "it; leave Datastore out of spec.artifacts to have sets without it called "
                 "complete"}
        .because(api::Reason::datastore_external);
  case Place::sqlite_elsewhere:
    return Error{ErrorCode::unsupported,
                 "datastore-endpoint names an SQLite file that is not " + data_dir +
                     "/server/db/state.db: it is not backed up from another place",
                 "stop k3s, move the file, and its -wal or -journal where there is one, to " +
                     data_dir +
                     "/server/db/state.db, name that in datastore-endpoint (its options can "
                     "stay) or take the setting out, and start k3s"}
        .because(api::Reason::datastore_external);
  case Place::elsewhere:
    return nothing_here(
        "disable-etcd is set: this k3s server is a control plane without a datastore",
        "see that the agent runs on the servers with etcd (label "
        "node-role.kubernetes.io/etcd; their taints: agent.tolerations), and name no "
        "node or one of those in spec.nodeName");
  case Place::hidden:
    return nothing_here(data_dir + "/server: a link there, or in its db, leads to a directory that "
                                   "is not to be seen here",
                        "mount the directory that it leads to at the same path "
                        "(agent.extraHostPaths of the chart), or put a bind mount in the place of "
                        "the link");
  case Place::none:
    return nothing_here(data_dir +
                            "/server/db: there is no datastore here: not a k3s server, or one "
                            "that never started",
                        "run the agent on server nodes only, and see that k3s is running");
  case Place::no_directory:
    return nothing_here(data_dir + ": there is no such k3s data directory",
                        "give the directory that the server uses with --data-dir, and mount it");
  }
  return nothing_here(data_dir, {});
}

Status check_in_use(api::DatastoreKind kind, const std::string& data_dir) {
  const std::string path = data_dir + "/server/db/state.db";
  const auto last = last_written(path);
  if (kind != api::DatastoreKind::sqlite || !last) {
    return {};
  }
  const auto pause = std::chrono::duration_cast<std::chrono::hours>(FileTime::clock::now() - *last);
  if (pause < std::chrono::hours(1)) {
    return {};
  }
  return Error{ErrorCode::unsupported,
               path + ": nobody has written to it for " + std::to_string(pause.count()) +
                   " h, so it is not where this k3s server keeps its state",
               "name the datastore-endpoint where the agent sees it (config.yaml in "
               "/etc/rancher/k3s, or a unit in /etc/systemd/system), and back that database up "
               "with its own tools; what is left of SQLite can go"}
      .because(api::Reason::datastore_external);
}

std::vector<Member> members_on_disk(const std::string& directory) {
  constexpr int k_tries = 3; // a running etcd may write to it in the midst
  for (int tries = 0; tries < k_tries; ++tries) {
    if (auto members = etcd::members_of(directory + "/member/snap/db")) {
      return std::move(*members);
    }
  }
  return {};
}

} // namespace rb::datastore
