// The settings of a k3s server: every argument that it has, from wherever an operator may have put
// it, and where that is; and what k3s wrote about itself at its Node. Without secrets: their values
// are masked, as k3s masks them in the Node.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rb::k3s {

/// k3s's own default for --data-dir.
inline constexpr const char* k_usual_data_dir = "/var/lib/rancher/k3s";

/// And for --write-kubeconfig, that of the admin.
inline constexpr const char* k_usual_kubeconfig = "/etc/rancher/k3s/k3s.yaml";

/// By which a cluster knows the Node of this host again.
inline constexpr const char* k_node_password = "/etc/rancher/node/password";

/// What k3s itself writes in the place of a secret.
inline constexpr std::string_view k_masked = "********";

/// In the order in which k3s takes them: arguments of the command line stand behind those of its
/// configuration files, and a variable counts where neither names its flag.
enum class Origin {
  config,       ///< config.yaml, config.yaml.d: every `k3s server` reads it, also one by hand.
  command_line, ///< Of the service alone.
  environment,  ///< Of the service alone.
  node,         ///< The Node object says so, and no file that we know.
};

struct Setting {
  std::string flag;  ///< The long name, without dashes: "data-dir".
  std::string value; ///< Empty: the flag stands alone, and is on.
  Origin origin = Origin::config;
  std::string place; ///< The file: "/etc/rancher/k3s/config.yaml"; may be empty.
};

class ServerSettings {
public:
  /// Behind what is there; the order within an origin counts.
  void add(Setting setting) { m_all.push_back(std::move(setting)); }
  void add(std::string flag, std::string value, Origin origin = Origin::config);

  [[nodiscard]] const std::vector<Setting>& all() const { return m_all; }
  /// Those that count, of one flag: of a list all of them, of another flag the last.
  [[nodiscard]] std::vector<Setting> of(std::string_view flag) const;

  [[nodiscard]] bool has(std::string_view flag) const { return !of(flag).empty(); }
  /// The last one that counts. Empty: not set.
  [[nodiscard]] std::string value(std::string_view flag) const;
  [[nodiscard]] std::vector<std::string> values(std::string_view flag) const;
  /// Set, and to nothing that means "off".
  [[nodiscard]] bool is_on(std::string_view flag) const;

private:
  std::vector<Setting> m_all;
};

/// Where the server keeps its data, without a slash at the end: as the settings say, or the usual
/// place where they say nothing that is an absolute path.
[[nodiscard]] std::string data_dir_of(const ServerSettings& settings);

/// Where it writes the admin's kubeconfig, in the same way.
[[nodiscard]] std::string kubeconfig_of(const ServerSettings& settings);

/// "d" -> "data-dir"; other names as they are.
[[nodiscard]] std::string long_name(std::string_view flag);

/// The flag holds a secret: no value of it is kept here.
[[nodiscard]] bool is_secret(std::string_view flag);

inline constexpr std::string_view k_sqlite_endpoint = "sqlite://";

/// The file that a datastore-endpoint of SQLite names ("sqlite:///srv/state.db?_journal=WAL"),
/// without its options; empty: k3s's own place, as without an endpoint, and as kine takes what has
/// no "://" (its newer releases don't start with that). Absent: another database, whose address may
/// hold a password. In the settings such an endpoint is k_sqlite_endpoint and the file.
[[nodiscard]] std::optional<std::string> sqlite_file_of(std::string_view endpoint);

/// In the settings a datastore-endpoint that stands for the embedded etcd is this.
inline constexpr std::string_view k_etcd_endpoint = "etcd";

/// "etcd", "etcd://…": the embedded etcd, as with cluster-init (k3s, pkg/cluster/managed.go).
[[nodiscard]] bool is_embedded_etcd(std::string_view endpoint);

/// The arguments behind `server`: "--flag=value", "--flag value", "-d value", "--flag".
[[nodiscard]] std::vector<Setting> settings_of_arguments(const std::vector<std::string>& arguments,
                                                         Origin origin,
                                                         const std::string& place);

/// The flag that a variable of the environment stands for ("K3S_DATA_DIR"); empty: none.
[[nodiscard]] std::string flag_of_variable(std::string_view variable);

inline constexpr const char* k_node_args = "k3s.io/node-args";
inline constexpr const char* k_node_env = "k3s.io/node-env";

/// The effective arguments, whatever started the server, and the variables of its environment,
/// secrets masked: two annotations of its Node. Both may be empty.
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
