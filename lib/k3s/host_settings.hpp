// The one reader of k3s's settings: agent, restore and drill have theirs from here. Sources, in
// this order: what the Node says of the server, the service that starts it, its configuration
// files. Masked secrets come from the files; of tokens only the hash leaves the reader.
#pragma once

#include "k3s/host_files.hpp"
#include "k3s/server_settings.hpp"

#include "base/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace rb::k3s {

inline constexpr std::string_view k_usual_config = "/etc/rancher/k3s/config.yaml";

/// Lays one configuration file over what the earlier ones said, as k3s turns them into arguments
/// (k3s, pkg/configfilearg: later files override, `key+` appends, YAML 1.1, what a merge key names
/// does not count). Errors: corrupt (not YAML, not a mapping: k3s would not start with it);
/// `settings` is then as it was. The message names the line, never what stands there.
[[nodiscard]] Status
merge_config(std::vector<Setting>& settings, std::string_view text, const std::string& path);

/// A token that the configuration names; its hash only.
struct ConfiguredToken {
  std::string source;    ///< "/etc/rancher/k3s/config.yaml: token"
  std::string hash;      ///< As token_hash(); empty: it could not be read.
  std::string file = {}; ///< That has it, where a setting names one.

  /// A credential (LoadCredentialEncrypted=, say) that is there for the service alone.
  [[nodiscard]] bool only_for_service() const;
};

struct HostSettings {
  ServerSettings settings;             ///< Secrets masked.
  std::vector<ConfiguredToken> tokens; ///< The one that k3s takes of those that are named, if any.
  std::string systemd_unit;            ///< "k3s"; empty: none starts a server.
  /// What enables it, where it is an instance of a template: nothing else says which one it is.
  /// systemd makes it; it is no file of the host.
  std::string unit_link;
  std::string unit_template;  ///< "k3s@": one that would, and none of its instances is enabled.
  std::string openrc_service; ///< "k3s"; empty: none starts a server.
  std::string program;        ///< The k3s that it starts; empty: not known.
  /// The files that were read: unit, drop-ins, environment, scripts, configuration. Each belongs to
  /// what a host needs to become this server again.
  std::vector<std::string> files;
  std::string problem; ///< A file that k3s could not read, either.
};

/// Reads the files of tokens that could not be read: those that a set does not have (of sops-nix
/// below /run, say, or in a home directory) k3s will read of the host that the set is put on.
void read_missing_tokens(const HostFiles& files, std::vector<ConfiguredToken>& tokens);

/// What the files of a host say, and its Node where it is known.
[[nodiscard]] HostSettings read_host_settings(const HostFiles& files,
                                              const NodeArguments& node = {});

} // namespace rb::k3s
