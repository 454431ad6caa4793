// `rejoin`: another server of a cluster that was restored on one comes back to it. The decision, as
// a pure function of what was found: the host, the set, and what each server answers. The steps are
// carried out by execute.hpp, with the journal and the way back of a restore.
#pragma once

#include "restore/cluster/plan.hpp"
#include "restore/cluster/servers.hpp"

#include "base/clock.hpp"

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace rb::cluster {

struct Host;
struct OpenedSet;

struct RejoinFacts {
  ObservedHost host;
  std::string node_name;      ///< That this host has, or would have.
  std::string member_name;    ///< Of the etcd that lies here; empty: none does.
  bool node_password = false; ///< /etc/rancher/node/password is there.
  SetFacts set;
  std::string restored;              ///< When this host was restored after the set; empty: never.
  std::string access_problem;        ///< Why no server could be asked.
  std::optional<ServerAnswer> here;  ///< This host, where k3s runs.
  std::vector<ServerAnswer> servers; ///< Those that were asked, in the order of the set.
  std::string stop_command;          ///< As a person types it: "systemctl stop k3s".
  std::string start_command;
};

struct RejoinWishes {
  std::string server; ///< --server; empty: the one of the set that answers.
  bool allow_unsigned = false;
};

struct RejoinLook {
  const HostHints& hints;
  const RejoinWishes& wishes;
  const OpenedSet& opened;
  SystemTime set_time{}; ///< When the set was made.
  std::string access_file;
  SystemTime now{};
};

/// `host` has looked. Asks each server of the set, one after the other; changes nothing but the
/// access file, which is gone afterwards.
[[nodiscard]] RejoinFacts
look_for_rejoin(Host& host, const RejoinLook& look, const std::stop_token& stop);

struct RejoinDecision {
  Decision decision;
  std::string member; ///< "3 of 3 members": this host votes already, nothing is to be done.
};

/// Which servers are asked: --server, and those of the set but this host.
[[nodiscard]] std::vector<ServerAnswer>
servers_to_ask(const ObservedHost& host, const SetFacts& set, const RejoinWishes& wishes);

[[nodiscard]] RejoinDecision decide_rejoin(const RejoinFacts& facts, const RejoinWishes& wishes);

/// The server that was restored, as far as the answers say it. Private to this room, for the
/// checks.
struct Choice {
  const ServerAnswer* server = nullptr; ///< Null: there is none; `check` says why.
  Check check;
};
[[nodiscard]] Choice choose_server(const RejoinFacts& facts, const RejoinWishes& wishes);

// The checks, one function a question. Private to this room.

/// k3s is stopped here, and somebody can start it.
[[nodiscard]] Check check_stopped(const RejoinFacts& facts);

/// This host has not become a cluster of its own by a restore.
[[nodiscard]] Check check_not_restored(const RejoinFacts& facts);

/// The server that answers is of the set's cluster, as its authority and its kube-system say.
[[nodiscard]] Check check_identity(const SetFacts& set, const ServerAnswer& server);

/// It does not have this host among its members.
[[nodiscard]] Check check_membership(const RejoinFacts& facts, const ServerAnswer& server);

/// The token of the set is put back: there is none here, or it is another one of the same cluster,
/// from after a rotation, or with the hash of another authority.
[[nodiscard]] bool takes_token(const RejoinFacts& facts);

/// The token with which this host would join is the set's, or can be.
[[nodiscard]] Check check_token(const RejoinFacts& facts);

/// What must be the same on all servers of a cluster is as in the set; else k3s does not join.
[[nodiscard]] Check check_shared_settings(const ServerSettings& here, const ServerSettings& there);

/// As Kubernetes allows it between servers: the release of the restored one, or one minor newer.
[[nodiscard]] Check check_release(const ObservedHost& host, const ServerAnswer& server);

/// What the command line of the unit says to join, which no configuration file can change; without
/// a slash at the end. Empty: nothing.
[[nodiscard]] std::string url_of_unit(const ServerSettings& settings);

/// That URL, where it leads to the cluster of `server`, as a registration address does; else empty.
[[nodiscard]] std::string unit_leads_to(const RejoinFacts& facts, const ServerAnswer& server);

/// Of the configuration of this host: it can join, and joins that server.
[[nodiscard]] std::vector<Check> check_joining(const RejoinFacts& facts,
                                               const ServerAnswer& server);

/// What the configuration lacks to join that server: the text of a drop-in; empty: nothing.
[[nodiscard]] std::string
drop_in_text(const ServerSettings& settings, const std::string& url, const std::string& data_dir);

struct RejoinLines {
  std::string backup_dir;
  std::string identity_file; ///< Empty: where SOPS looks.
  std::string data_dir;
  std::string node_name = {}; ///< That of this host after the restore; empty: not known.
};

/// After a restore of `host`, whose settings are those of afterwards, for each other one of
/// `servers`: a command, and what a person does there who has k3s alone. Empty: the cluster had no
/// other server.
[[nodiscard]] std::vector<std::string> rejoin_lines(const std::vector<api::ServerEntry>& servers,
                                                    const ObservedHost& host,
                                                    const RejoinLines& with);

} // namespace rb::cluster
