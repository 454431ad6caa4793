#include "k3s/datastore.hpp"

#include "api/reason.hpp"

#include <filesystem>

namespace rb::k3s {

namespace {

Error no_snapshots(std::string message, std::string hint) {
  return Error{ErrorCode::unsupported, std::move(message), std::move(hint)}.because(
      api::Reason::datastore_not_etcd);
}

} // namespace

DatastoreProbe probe_datastore(const std::string& data_dir, const ServerSettings& settings) {
  const std::filesystem::path database = std::filesystem::path(data_dir) / "server" / "db";
  std::error_code ignored;
  return {std::filesystem::is_directory(data_dir, ignored),
          std::filesystem::is_directory(database / "etcd" / "member" / "wal", ignored),
          std::filesystem::is_regular_file(database / "state.db", ignored),
          !settings.value("datastore-endpoint").empty(),
          settings.is_on("disable-etcd")};
}

Datastore detect_datastore(const DatastoreProbe& probe) {
  if (!probe.data_directory) {
    return Datastore::no_directory;
  }
  if (probe.endpoint_configured) {
    return Datastore::external;
  }
  if (probe.etcd_disabled) {
    return Datastore::elsewhere;
  }
  // After `--cluster-init` on an SQLite server both are there; etcd is then the one in use.
  if (probe.etcd_wal_directory) {
    return Datastore::embedded_etcd;
  }
  return probe.sqlite_file ? Datastore::sqlite : Datastore::none;
}

api::Datastore reported_as(Datastore datastore) {
  switch (datastore) {
  case Datastore::embedded_etcd:
    return api::Datastore::embedded_etcd;
  case Datastore::sqlite:
    return api::Datastore::sqlite;
  case Datastore::external:
    return api::Datastore::external;
  case Datastore::elsewhere:
  case Datastore::none:
  case Datastore::no_directory:
    return api::Datastore::none;
  }
  return api::Datastore::unknown;
}

Status check_is_etcd(Datastore datastore, const std::string& data_dir) {
  switch (datastore) {
  case Datastore::embedded_etcd:
    return {};
  case Datastore::sqlite:
    return no_snapshots(data_dir +
                            "/server/db/state.db: this k3s server keeps its state in SQLite, "
                            "of which there are no etcd snapshots",
                        "convert it to embedded etcd: add `cluster-init: true` to "
                        "/etc/rancher/k3s/config.yaml and restart k3s");
  case Datastore::external:
    return no_snapshots("datastore-endpoint is set: this k3s server keeps its state in an external "
                        "datastore, of which there are no etcd snapshots",
                        "back that datastore up with its own tools, and leave EtcdSnapshot out of "
                        "spec.artifacts");
  case Datastore::elsewhere:
    return no_snapshots(
        "disable-etcd is set: this k3s server is a control plane without a datastore",
        "see that the agent runs on the servers with etcd (label "
        "node-role.kubernetes.io/etcd; their taints: agent.tolerations), and name no "
        "node or one of those in spec.nodeName");
  case Datastore::none:
    return no_snapshots(data_dir +
                            "/server/db: there is no datastore here: not a k3s server, or one "
                            "that never started",
                        "run the agent on server nodes only, and see that k3s is running");
  case Datastore::no_directory:
    return no_snapshots(data_dir + ": there is no such k3s data directory",
                        "give the directory that the server uses with --data-dir, and mount it");
  }
  return {};
}

} // namespace rb::k3s
