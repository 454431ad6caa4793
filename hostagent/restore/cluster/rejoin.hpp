// `rejoin`: another server of a cluster that was restored on one comes back to it. The decision, as
// a pure function of what was found: the host, the set, and what each server answers. The steps are
// carried out by execute.hpp, with the journal and the way back of a restore.
#pragma once

#include "restore/cluster/plan.hpp"
#include "restore/cluster/servers.hpp"

#include <optional>
#include <string>
#include <vector>

namespace rb::cluster {

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
