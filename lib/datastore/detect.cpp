#include "datastore/detect.hpp"

#include "api/reason.hpp"

#include <filesystem>

namespace rb::datastore {

namespace {

Error nothing_here(std::string message, std::string hint) {
  return Error{ErrorCode::unsupported, std::move(message), std::move(hint)}.because(
      api::Reason::datastore_not_etcd);
}

} // namespace

Probe look_for(const std::string& data_dir, const k3s::ServerSettings& settings) {
  const std::filesystem::path database = std::filesystem::path(data_dir) / "server" / "db";
  std::error_code ignored;
  return {std::filesystem::is_directory(data_dir, ignored),
          std::filesystem::is_directory(database / "etcd" / "member" / "wal", ignored),
          std::filesystem::is_regular_file(database / "state.db", ignored),
          !settings.value("datastore-endpoint").empty(),
          settings.is_on("disable-etcd")};
}

Place detect(const Probe& probe) {
  if (!probe.data_directory) {
    return Place::no_directory;
  }
  if (probe.endpoint_configured) {
    return Place::external;
  }
  if (probe.etcd_disabled) {
    return Place::elsewhere;
  }
  // After `--cluster-init` on an SQLite server both are there; etcd is then the one in use.
  if (probe.etcd_wal_directory) {
    return Place::embedded_etcd;
  }
  return probe.sqlite_file ? Place::sqlite : Place::none;
}

api::Datastore reported_as(Place place) {
  switch (place) {
  case Place::embedded_etcd:
    return api::Datastore::embedded_etcd;
  case Place::sqlite:
    return api::Datastore::sqlite;
  case Place::external:
    return api::Datastore::external;
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
                 "back that database up with its own tools (pg_dump, mysqldump, nats stream "
                 "backup), and keep that with this set, whose server token opens it; leave "
                 "Datastore out of spec.artifacts to have sets without it called complete"}
        .because(api::Reason::datastore_external);
  case Place::elsewhere:
    return nothing_here(
        "disable-etcd is set: this k3s server is a control plane without a datastore",
        "see that the agent runs on the servers with etcd (label "
        "node-role.kubernetes.io/etcd; their taints: agent.tolerations), and name no "
        "node or one of those in spec.nodeName");
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

} // namespace rb::datastore
