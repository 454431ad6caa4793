// Where the k3s server keeps its state, read off its data directory before anything is asked of
// it: the messages of `etcd-snapshot save` on other datastores differ from release to release.
#pragma once

#include "agent/run/run_control.hpp"
#include "k3s/server_settings.hpp"

#include "api/backup_status.hpp"
#include "base/result.hpp"

#include <string>

namespace rb::k3s {

enum class Datastore {
  embedded_etcd,
  sqlite,
  external,     ///< datastore-endpoint is set.
  elsewhere,    ///< A server without a datastore (disable-etcd): another server has it.
  none,         ///< A k3s data directory without a datastore: an agent node, or never started.
  no_directory, ///< No data directory at all.
};

/// What detect_datastore decides on.
struct DatastoreProbe {
  bool data_directory = false;
  bool etcd_wal_directory = false; ///< server/db/etcd/member/wal; server/db/etcd alone proves
                                   ///< nothing (k3s issue 8960).
  bool sqlite_file = false;        ///< server/db/state.db
  bool endpoint_configured = false;
  bool etcd_disabled = false; ///< disable-etcd; an etcd directory is then what was left behind.
};

[[nodiscard]] DatastoreProbe probe_datastore(const std::string& data_dir,
                                             const ServerSettings& settings);

[[nodiscard]] Datastore detect_datastore(const DatastoreProbe& probe);

/// The word for it in the status.
[[nodiscard]] api::Datastore reported_as(Datastore datastore);

/// No snapshot can be taken but of embedded etcd. Errors: unsupported, with the reason and the
/// remedy.
[[nodiscard]] Status check_is_etcd(Datastore datastore, const std::string& data_dir);

} // namespace rb::k3s
