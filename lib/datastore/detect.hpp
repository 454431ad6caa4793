// Where a k3s server keeps its state, read off its data directory before anything is asked of it:
// the messages of k3s on other datastores differ from release to release.
#pragma once

#include "datastore/keys/copy.hpp"
#include "k3s/server_settings.hpp"

#include "api/artifacts.hpp"
#include "api/backup_status.hpp"
#include "base/result.hpp"

#include <string>
#include <vector>

namespace rb::datastore {

enum class Place {
  embedded_etcd,
  sqlite,
  external,         ///< datastore-endpoint names a database that is not k3s's own.
  sqlite_elsewhere, ///< It names an SQLite file that is not server/db/state.db.
  elsewhere,        ///< A server without a datastore (disable-etcd): another server has it.
  hidden,           ///< A link leads to where nothing is to be seen: not mounted in a container.
  none,             ///< A k3s data directory without a datastore: an agent node, or never started.
  no_directory,     ///< No data directory at all.
};

/// What datastore-endpoint names.
enum class Endpoint {
  none,
  own_etcd,     ///< The embedded one, by its name.
  own_sqlite,   ///< server/db/state.db, with other options than k3s's own perhaps.
  other_sqlite, ///< Another file.
  external,
};

[[nodiscard]] Endpoint endpoint_of(const k3s::ServerSettings& settings,
                                   const std::string& data_dir);

/// Whether a server with that endpoint, and with no etcd on its disk, would use a database of that
/// kind in its data directory.
[[nodiscard]] bool fits(Endpoint endpoint, api::DatastoreKind kind);

/// What detect decides on.
struct Probe {
  bool data_directory = false;
  bool etcd_wal_directory = false; ///< server/db/etcd/member/wal; server/db/etcd alone proves
                                   ///< nothing (k3s issue 8960).
  bool sqlite_file = false;        ///< server/db/state.db
  Endpoint endpoint = Endpoint::none;
  bool etcd_disabled = false;   ///< disable-etcd; an etcd directory is then what was left behind.
  bool link_to_nothing = false; ///< server, server/db, db/etcd or db/state.db is one.
  /// server/kine.sock: k3s keeps its state in an SQL database, whatever names that.
  bool kine_socket = false;
};

[[nodiscard]] Probe look_for(const std::string& data_dir, const k3s::ServerSettings& settings);

[[nodiscard]] Place detect(const Probe& probe);

/// The word for it in the status.
[[nodiscard]] api::Datastore reported_as(Place place);

/// What a copy can be taken of here. Errors: unsupported, with the reason and the remedy.
[[nodiscard]] Result<api::DatastoreKind> kind_at(Place place, const std::string& data_dir);

/// A running server writes to its datastore every few seconds. An SQLite file that nobody has
/// written to for an hour was left behind by an earlier life of the host, where the endpoint of now
/// is not to be seen: a copy of it would be none of the cluster. Errors: unsupported
/// (datastore_external).
[[nodiscard]] Status check_in_use(api::DatastoreKind kind, const std::string& data_dir);

/// The servers that an etcd is spread over, as its directory ("…/server/db/etcd") has noted them;
/// it may be in use. None where it cannot tell.
[[nodiscard]] std::vector<Member> members_on_disk(const std::string& directory);

} // namespace rb::datastore
