// The one reader of k3s's settings: agent, restore and drill have theirs from here. Sources, in
// this order: what the Node says of the server, the service that starts it, its configuration
// files. Masked secrets come from the files, and are handed out apart from the settings.
#pragma once

#include "k3s/host_files.hpp"
#include "k3s/node_arguments.hpp"
#include "k3s/settings.hpp"

#include "base/secret_bytes.hpp"

#include <string>
#include <vector>

namespace rb::k3s {

struct SecretSetting {
  std::string flag;  ///< "token"
  std::string place; ///< The file that has it.
  SecretBytes value;
};

struct HostSettings {
  ServerSettings settings; ///< Secrets masked.
  std::vector<SecretSetting> secrets;
  std::string systemd_unit;   ///< "k3s"; empty: none starts a server.
  std::string openrc_service; ///< The same for OpenRC.
  /// The files that were read: unit, drop-ins, environment, scripts, configuration. Each belongs to
  /// what a host needs to become this server again.
  std::vector<std::string> files;
  std::string problem; ///< A file that k3s could not read, either.
};

/// What the files of a host say, and its Node where it is known.
[[nodiscard]] HostSettings read_host_settings(const HostFiles& files,
                                              const NodeArguments& node = {});

} // namespace rb::k3s
