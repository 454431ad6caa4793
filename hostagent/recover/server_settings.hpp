// The settings of a k3s server, from where an operator may have put them: config.yaml and
// config.yaml.d, the flags of the unit, the unit's environment file. Pure.
// Source: k3s, configfilearg (later files override, `key+` appends), and its install script.
#pragma once

#include "base/result.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace rb::recover {

/// By the long name of the flag, without dashes.
using Flags = std::map<std::string, std::vector<std::string>>;

struct ServerSettings {
  Flags config; ///< Every `k3s server` reads it, also one that is started by hand.
  Flags unit;   ///< Flags and variables of the unit: only the service has them.

  [[nodiscard]] bool has(const std::string& flag) const;
  /// The last value; the unit's before that of the configuration. Empty: not set.
  [[nodiscard]] std::string value(const std::string& flag) const;
  /// All values, of both.
  [[nodiscard]] std::vector<std::string> values(const std::string& flag) const;
  /// Set and not "false".
  [[nodiscard]] bool is_on(const std::string& flag) const;
};

/// Lays one configuration file over what the earlier ones said. Errors: corrupt (not a mapping).
[[nodiscard]] Status merge_config(Flags& flags, std::string_view text, const std::string& path);

/// The flags after `server` in ExecStart= of a systemd unit, or in command_args= of an OpenRC
/// script. Nothing where there is no k3s server in it.
[[nodiscard]] Flags flags_of_unit(std::string_view text);

/// Whether the unit starts a k3s server (and not an agent).
[[nodiscard]] bool starts_server(std::string_view text);

/// Adds what the variables of an environment file mean as flags (K3S_URL is `server`). Those
/// flags that the unit gives itself stay.
void add_environment(Flags& flags, std::string_view text);

/// "--flag=value": what only the unit knows and a reset must know, too; never a token.
[[nodiscard]] std::vector<std::string> carried_flags(const ServerSettings& settings);

} // namespace rb::recover
