// What k3s wrote about itself at its Node: the effective arguments, whatever started the server,
// and the variables of its environment, secrets masked.
#pragma once

#include "k3s/settings.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace rb::k3s {

inline constexpr const char* k_node_args = "k3s.io/node-args";
inline constexpr const char* k_node_env = "k3s.io/node-env";

/// The two annotations; both may be empty.
struct NodeArguments {
  std::string args; ///< A JSON list: ["server","--data-dir","/data"]
  std::string env;  ///< A JSON map: {"K3S_DATA_DIR":"/data"}

  [[nodiscard]] bool empty() const { return args.empty(); }
};

/// The key of a Node in the datastore: "/registry/minions/NAME".
[[nodiscard]] std::string node_key(const std::string& node_name);

/// As settings; empty where the annotations are not those of a server.
[[nodiscard]] std::vector<Setting> settings_of_node(const NodeArguments& node);

/// Lays the Node's word over what the files say: a flag that the files give other values has those
/// of the Node, a flag that they do not have is added, and what is masked comes from the files.
void lay_over_node(ServerSettings& settings, const NodeArguments& node);

} // namespace rb::k3s
