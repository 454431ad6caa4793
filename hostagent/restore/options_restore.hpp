// The options of `railiance-restore restore`.
#pragma once

#include "restore/cluster/replacements.hpp"

#include "api/artifact_type.hpp"

#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace rb::restore {

struct RestoreCommand {
  std::string set = "latest";
  bool set_given = false;
  std::vector<std::string> identity_files; ///< Empty: where SOPS looks.

  // One artifact: decrypted and unpacked, the cluster left alone.
  std::string artifact; ///< "helm-values", "kubeconfig" or "host-state"; empty: the cluster.
  std::string to;
  bool force = false;

  // The cluster.
  bool execute = false;
  bool dry_run = false;
  bool resume = false;
  bool rollback = false;
  bool yes = false;
  bool single_server = false;
  bool replace_cluster = false;
  bool without_host_state = false;
  bool allow_unsigned = false;
  bool restart_workloads = false;
  bool keep_config = false;
  std::vector<std::string> set_addresses;  ///< "OLD=NEW"
  std::vector<std::string> set_interfaces; ///< "OLD=NEW"
  std::string k3s_program;
  std::string data_dir;
  std::string start_command;
  std::string stop_command;
  std::string status_command;
  std::string log_command;
  unsigned reset_timeout_seconds = 600;
  unsigned ready_timeout_seconds = 300;
};

void add_restore(CLI::App& app, RestoreCommand& command);

/// The type that --artifact names; nothing for another word, and for the etcd snapshot.
[[nodiscard]] std::optional<api::ArtifactType> artifact_of(const std::string& name);

/// --set-address and --set-interface. Errors: invalid_argument.
[[nodiscard]] Result<std::vector<cluster::Replacement>>
replacements_of(const RestoreCommand& command);

/// What CLI11 cannot say: options that exclude each other. Empty: fine.
[[nodiscard]] std::string problem_of(const RestoreCommand& command);

} // namespace rb::restore
