// What the decision is made on: the host as it was found, and the set as it was checked. Values
// only; observe.hpp and set_access.hpp fill them in.
#pragma once

#include "datastore/keys/copy.hpp"
#include "k3s/command.hpp"
#include "k3s/host_settings.hpp"
#include "k3s/named_files.hpp"
#include "k3s/running_server.hpp"
#include "restore/cluster/machine.hpp"
#include "restore/cluster/put_back.hpp"
#include "restore/cluster/replacements.hpp"
#include "restore/cluster/supervisor.hpp"
#include "set/catalogue.hpp"

#include "base/error.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rb::cluster {

using k3s::ConfiguredToken;
using k3s::ServerSettings;

struct DataDir {
  bool etcd = false;                      ///< server/db/etcd/member/wal is a directory.
  bool sqlite = false;                    ///< server/db/state.db
  bool tombstone = false;                 ///< This member was removed from its cluster.
  std::vector<datastore::Member> members; ///< That the etcd here knows; none where it cannot tell.
  std::vector<std::string> mounts;        ///< In what is moved aside, or replaced as one.
  std::string token_hash;                 ///< Of server/token; empty: there is none.
  std::vector<std::string> cluster_cas;   ///< Of the CA's file, and as the token names it.
  std::uint64_t free_bytes = 0;
  std::optional<std::uint64_t> db_free_bytes; ///< Of server/db, where that is another disk.
};

struct ObservedHost {
  unsigned user_id = 0;
  std::string k3s_program;    ///< Absolute path; empty: not found.
  std::string k3s_version;    ///< "v1.34.4+k3s1"; empty: it did not say.
  std::string absent_program; ///< Started by the service that is put back, and not on this host.
  std::string other_unit;     ///< Of this host, that starts k3s beside the one that is put back.
  std::string manager;        ///< "systemd unit k3s"; empty: none that we know.
  std::string unit_template;  ///< Where it is empty: "k3s@", by whose instances k3s is started.
  k3s::ServiceState service = k3s::ServiceState::unknown;
  std::vector<k3s::ServerProcess> servers;
  std::vector<k3s::ServerProcess> agents; ///< `k3s agent`, where no server runs.
  Supervisor supervisor;                  ///< That may have started them.
  std::string processes_problem;          ///< Why nobody knows whether a server runs.
  std::string host_name; ///< In small letters, as k3s takes it for its node; may be empty.
  std::string data_dir;
  bool own_commands = false; ///< The operator's start k3s; with which arguments nobody knows.
  DataDir data;
  ServerSettings settings; ///< As on the disk.
  std::string settings_problem;
  std::vector<ConfiguredToken> tokens;
  std::vector<NamedFact> named;           ///< What the settings of the set name, looked for here.
  std::vector<k3s::NamedFile> named_here; ///< What the settings on the disk name.
  HostNetwork network;
  std::vector<KernelFlag> kernel_flags; ///< That are not as the kubelet wants them.
  bool host_local = false;              ///< The CNI plugin is where k3s finds it.
};

struct ArtifactFact {
  std::string name;
  ExitCode code = ExitCode::done; ///< done, damaged, no_identity or failed.
  std::string message;
};

/// Who made the set, as far as signatures say.
struct SignatureFact {
  set::SetProvenance provenance;
  bool first_use = false; ///< The key comes from the backup directory itself.
  std::string key;        ///< That key, "RW…".
};

struct SetFacts {
  std::string run_id;
  std::string node_name;                  ///< Of the server that made it; may be empty.
  unsigned generation = 0;                ///< For the names of its files.
  std::optional<SignatureFact> signature; ///< Absent: it was not asked.
  bool complete = false;
  std::vector<std::string> problems;
  std::string disproven;       ///< Why a server that was booted from it failed; empty: none did.
  std::string k3s_version;     ///< May be empty.
  std::string storage_version; ///< Of the snapshot, as its manifest has it; may be empty.
  std::vector<ArtifactFact> artifacts;
  bool snapshot = false;           ///< It is there.
  bool external_datastore = false; ///< It is not, since the state was in an external database.
  api::DatastoreKind datastore = api::DatastoreKind::etcd; ///< Of which it is one.
  bool host_state = false;                                 ///< It is there.
  std::uint64_t snapshot_bytes = 0;
  std::vector<std::string> bootstrap_hashes; ///< Of the snapshot itself.
  std::uint64_t members = 0;                 ///< Servers of the datastore that it was taken of.
  std::vector<api::ServerEntry> servers;     ///< Who they are, as far as anybody knows.
  std::vector<datastore::Member> peers;      ///< Where the datastore itself has them.
  std::string cluster_uid;                   ///< Of the namespace kube-system; may be empty.
  std::string token_hash;                    ///< Of the server token in the host state.
  std::string data_dir;                      ///< As the host state has it; may be empty.
  std::vector<std::string> cluster_cas;      ///< Of the manifest, the host state's CA and token.
  ServerSettings settings;                   ///< As the host state has them, rewritten as wished.
  std::vector<Rewritten> rewritten;          ///< Where that was, by index of the wish.
  std::vector<ConfiguredToken> tokens;       ///< As the host state has them.

  /// A server token of that hash opens the snapshot.
  [[nodiscard]] bool opens_with(const std::string& hash) const {
    return std::ranges::find(bootstrap_hashes, hash) != bootstrap_hashes.end();
  }
};

/// What the operator says of the host; all may be empty.
struct HostHints {
  std::string k3s_program;
  std::string data_dir;
  k3s::ServiceCommands commands;
};

/// What the operator asked for.
struct Wishes {
  bool single_server = false;                 ///< --single-server
  bool replace_cluster = false;               ///< --replace-cluster
  bool without_host_state = false;            ///< --without-host-state
  bool allow_unsigned = false;                ///< --allow-unsigned
  bool keep_config = false;                   ///< --keep-config
  std::vector<Replacement> replacements = {}; ///< --set-address, --set-interface
};

} // namespace rb::cluster
