// The decision: what was checked, the steps in their order, and what they are in words: as lines
// for people, and as the commands that bring a set back on this host. Pure.
#pragma once

#include "restore/cluster/facts.hpp"

#include "base/result.hpp"
#include "base/words.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rb::cluster {

enum class Verdict { ok, warn, refuse };

struct Check {
  std::string name;
  Verdict verdict = Verdict::ok;
  std::string message;
  std::string hint;                 ///< What to do next; empty where nothing is to be done.
  ExitCode code = ExitCode::failed; ///< Of a refusal.
};

/// In the order in which they are done. What can fail for a reason of the set or of the disk comes
/// before the cluster is stopped. Those marked with (r) are of a rejoin alone.
enum class Step {
  decrypt,     ///< The copy, to a file of mode 0600 below the data directory.
  stop,        ///< The service; then no k3s server may be left.
  save_state,  ///< Tokens, certificates and what is put back are copied aside.
  put_back,    ///< Bare host: token, configuration, unit, manifests.
  put_token,   ///< (r) Bare host: the token, and nothing else.
  reset,       ///< The copy takes the place of the database (database.hpp).
  set_aside,   ///< (r) The database of before; nothing takes its place.
  name_server, ///< (r) The configuration names the server that was restored.
  start,
  ready,
  join,     ///< (r) Until this host is a voting member.
  agree,    ///< (r) Until it holds the revision of the other.
  compare,  ///< The objects, with the manifest.
  clean_up, ///< The decrypted snapshot goes.
};

/// Of a restore.
inline constexpr std::array<Step, 9> k_steps{Step::decrypt,
                                             Step::stop,
                                             Step::save_state,
                                             Step::put_back,
                                             Step::reset,
                                             Step::start,
                                             Step::ready,
                                             Step::compare,
                                             Step::clean_up};

/// Of a rejoin.
inline constexpr std::array<Step, 9> k_rejoin_steps{Step::stop,
                                                    Step::save_state,
                                                    Step::put_token,
                                                    Step::set_aside,
                                                    Step::name_server,
                                                    Step::start,
                                                    Step::ready,
                                                    Step::join,
                                                    Step::agree};

/// "decrypt", "stop", "save-state", "put-back", …
[[nodiscard]] std::span<const Word<Step>> words_of(Step);

/// 0700, on the data directory's disk: journal, decrypted snapshot, what was copied aside.
[[nodiscard]] inline std::string work_dir_in(const std::string& data_dir) {
  return data_dir + "/railiance-restore";
}

/// What a rejoin knows besides: the server that was restored, and how this one gets to it.
struct Joining {
  std::string server;         ///< For people: "server-1 (https://192.0.2.11:6443)".
  std::string api_url;        ///< "https://192.0.2.11:6443"
  std::string supervisor_url; ///< What `server:` must name.
  std::uint64_t servers = 0;  ///< That the cluster had.
  std::string drop_in;        ///< The file that says so; empty: the configuration does already.
  std::string drop_in_text;   ///< No secrets.
  /// Below server/: what this host takes from that server, and must not have another one of.
  std::vector<std::string> shared = {};
};

struct Plan {
  std::string run_id;
  std::string data_dir;
  std::string k3s_program;
  std::string kubeconfig;
  api::DatastoreKind datastore = api::DatastoreKind::etcd;
  bool bare = false;        ///< The files of the host state are put back.
  bool keep_config = false; ///< Of them only token and state, not the configuration.
  std::vector<Replacement> replacements = {}; ///< In the configuration that is put back.
  bool was_active = false;                    ///< The service ran: a way back starts it again.
  std::vector<std::string> carried;
  /// Files in server/tls and server/cred that the settings name and k3s does not make.
  std::vector<std::string> credentials = {};
  std::vector<Step> steps;
  std::optional<Joining> joining = {}; ///< It is a rejoin, not a restore.

  /// Of railiance-restore, which has begun it and goes on with it.
  [[nodiscard]] const char* command() const { return joining ? "rejoin" : "restore"; }
  [[nodiscard]] std::string work_dir() const { return work_dir_in(data_dir); }
  [[nodiscard]] std::string snapshot_path() const { return work_dir() + "/snapshot"; }
};

struct Decision {
  std::vector<Check> checks;
  Plan plan; ///< Meaningful when nothing was refused.

  [[nodiscard]] bool refused() const;
  /// done, or that of the first refusal.
  [[nodiscard]] ExitCode code() const;
};

[[nodiscard]] Decision decide(const ObservedHost& host, const SetFacts& set, const Wishes& wishes);

/// The steps as lines for people.
[[nodiscard]] std::vector<std::string> describe(const Plan& plan);

struct GuideInput {
  std::string run_id;
  unsigned generation = 0; ///< Of the set, for the names of its files.
  std::string backup_dir;
  std::string identity_file; ///< Empty: the keys come from the environment.
  std::string stop_command;  ///< "systemctl stop k3s"
  std::string start_command; ///< "systemctl start k3s"
  std::string extra_options; ///< Of railiance-restore, as the operator gave them; may be empty.
  Plan plan;
  std::vector<std::string> stays = {}; ///< As stays_by_hand() names it.
};

/// What the settings of the set name elsewhere than where k3s has its files, and what this host has
/// already or must not be written to: it is not replaced by hand either (docs/decisions/0018).
[[nodiscard]] std::vector<std::string> stays_by_hand(const ObservedHost& host);

/// Our commands, and those of a person with nothing but k3s and age. One a line; those that are
/// only for people begin with '#'.
[[nodiscard]] std::vector<std::string> our_commands(const GuideInput& input);
[[nodiscard]] std::vector<std::string> commands_by_hand(const GuideInput& input);

} // namespace rb::cluster
