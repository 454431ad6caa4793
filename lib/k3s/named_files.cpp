#include "k3s/named_files.hpp"

#include "k3s/credentials.hpp"
#include "k3s/lines.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <set>

namespace rb::k3s {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_path_limit_bytes = 1024;
constexpr unsigned k_depth_limit = 24;
/// Of one file: aliases of YAML can make a few lines into more than any reader ends with.
constexpr std::size_t k_nodes_limit = 100'000;
constexpr std::size_t k_turns_limit = 4;

/// What a server writes, makes or serves under that name.
constexpr std::array<std::string_view, 26> k_not_read{"data-dir",
                                                      "write-kubeconfig",
                                                      "log",
                                                      "etcd-snapshot-dir",
                                                      "etcd-s3-folder", // in the bucket
                                                      "default-local-storage-path",
                                                      "cluster-reset-restore-path",
                                                      "container-runtime-endpoint",
                                                      "image-service-endpoint",
                                                      "containerd",
                                                      "kubelet-data-dir",
                                                      "snapshotter",
                                                      "service-account-signing-endpoint",
                                                      "audit-log-path",
                                                      "log-file",
                                                      "log-dir",
                                                      "root-dir",
                                                      "cert-dir",
                                                      "wal-dir",
                                                      "lock-file",
                                                      "cgroup-root",
                                                      "system-cgroups",
                                                      "kubelet-cgroups",
                                                      "kube-reserved-cgroup",
                                                      "system-reserved-cgroup",
                                                      "runtime-cgroups"};

/// Of k3s its configuration file: what stands in it is read with the settings. Of a component its
/// own, without which k3s ends as soon as that does ("scheduler exited: stat …: no such file").
constexpr std::string_view k_config = "config";

/// Known to stop a server when they are missing. For the files of tokens and of a VPN's key it
/// waits (k3s, pkg/util: "Waiting for FILE to be available"), without an end or for four minutes.
constexpr std::array<std::string_view, 16> k_needed{"agent-token-file",
                                                    "vpn-auth-file",
                                                    "audit-policy-file",
                                                    "admission-control-config-file",
                                                    "encryption-provider-config",
                                                    "authentication-config",
                                                    "authorization-config",
                                                    "egress-selector-config-file",
                                                    "audit-webhook-config-file",
                                                    "authorization-webhook-config-file",
                                                    "authentication-token-webhook-config-file",
                                                    "token-auth-file",
                                                    "oidc-ca-file",
                                                    "datastore-cafile",
                                                    "datastore-certfile",
                                                    "datastore-keyfile"};

/// Fields of configuration files that name a file, besides those that end with "file" or "path". No
/// others are looked at: a key may look like a path, and must never be shown as one.
constexpr std::array<std::string_view, 12> k_fields{"certificate-authority",
                                                    "client-certificate",
                                                    "client-key",
                                                    "kubeconfig",
                                                    "caBundle",
                                                    "clientKey",
                                                    "clientCert",
                                                    "resolvConf",
                                                    "providerConfigDir",
                                                    "BinaryName",
                                                    "imports",
                                                    "conf_template"};

/// Those of them that a reader makes, or that are no files.
constexpr std::array<std::string_view, 5> k_fields_not_read{
    "socketPath", "logFile", "nonResourcePath", "httpPath", "mountPath"};

bool can_be_path(std::string_view value) {
  return !value.empty() && value.size() <= k_path_limit_bytes && value != "/" &&
         value.find_first_of("\n\r\t*?{}\"'<>|") == std::string_view::npos &&
         value.find("://") == std::string_view::npos;
}

/// A relative value of such a name is a file all the same.
bool names_file(std::string_view name) {
  return name.ends_with("-file") || name.ends_with("-config") || name.ends_with("cafile") ||
         name.ends_with("certfile") || name.ends_with("keyfile") || name == "kubeconfig" ||
         name == "private-registry" || name == "flannel-conf" || name == "resolv-conf" ||
         name == "pod-manifest-path" || name == "config-dir";
}

bool is_field_of_path(std::string_view field) {
  std::string lower(field);
  std::ranges::transform(
      lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return !is_among(k_fields_not_read, field) &&
         (is_among(k_fields, field) || lower.ends_with("file") || lower.ends_with("path"));
}

std::string absolute(std::string_view value, const std::string& base) {
  std::string path = (fs::path(base) / fs::path(value)).lexically_normal().string();
  if (path.size() > 1 && path.ends_with('/')) {
    path.pop_back();
  }
  return path;
}

class Found {
public:
  explicit Found(std::string base) : m_base(std::move(base)) {}

  void add(std::string_view value, const std::string& by, bool relative, bool needed) {
    const bool is_absolute = value.starts_with('/');
    if (!can_be_path(value) || !(is_absolute || relative) || m_files.size() >= k_named_limit) {
      return;
    }
    std::string path = absolute(value, m_base);
    if (m_paths.insert(path).second) {
      m_files.push_back({std::move(path), by, needed});
    }
  }

  std::vector<NamedFile> files() { return std::move(m_files); }

private:
  std::string m_base;
  std::vector<NamedFile> m_files;
  std::set<std::string> m_paths;
};

/// "NAME=VALUE" of a component; lists are split at commas.
void add_component(const Setting& setting, Found& found) {
  const std::size_t begin = std::min(setting.value.find_first_not_of('-'), setting.value.size());
  const std::size_t equals = setting.value.find('=', begin);
  if (equals == std::string::npos) {
    return;
  }
  const std::string name = setting.value.substr(begin, equals - begin);
  if (is_among(k_not_read, name)) {
    return;
  }
  std::string_view rest = std::string_view(setting.value).substr(equals + 1);
  while (!rest.empty()) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    std::string_view value = rest.substr(0, comma);
    if (name == "tls-sni-cert-key") { // FILE,FILE:NAME,NAME
      value = value.substr(0, value.find(':'));
    }
    found.add(value,
              setting.flag + " " + name,
              names_file(name) || name == k_config,
              name == k_config ||
                  (setting.flag == "kube-apiserver-arg" && is_among(k_needed, name)));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
}

class Fields {
public:
  Fields(std::string path, Found& found) : m_path(std::move(path)), m_found(found) {}

  void read(const YAML::Node& node, const std::string& field, unsigned depth) {
    if (depth > k_depth_limit || ++m_nodes > k_nodes_limit) {
      return;
    }
    if (node.IsMap()) {
      for (const auto& pair : node) {
        if (pair.first.IsScalar()) {
          read(pair.second, pair.first.Scalar(), depth + 1);
        }
      }
    } else if (node.IsSequence()) {
      for (const YAML::Node& item : node) {
        read(item, field, depth + 1);
      }
    } else if (node.IsScalar() && is_field_of_path(field)) {
      m_found.add(node.Scalar(), m_path + ": " + field, field != "caBundle", false);
    }
  }

private:
  std::string m_path;
  Found& m_found;
  std::size_t m_nodes = 0;
};

/// Lines of TOML, and of templates of it: KEY = "/PATH".
void add_toml(const std::string& path, std::string_view text, Found& found) {
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    const std::size_t begin = std::min(line.find_first_not_of(" \t"), line.size());
    const std::size_t key_end = std::min(line.find_first_of(" \t=", begin), line.size());
    const std::string_view key = line.substr(begin, key_end - begin);
    const std::size_t quote = line.find_first_of("\"'", key_end);
    if (!is_field_of_path(key) || quote == std::string_view::npos) {
      continue;
    }
    const std::string_view rest = line.substr(quote + 1);
    found.add(rest.substr(0, rest.find(line[quote])), path + ": " + std::string(key), false, false);
  }
}

bool is_toml(const std::string& path) {
  return path.ends_with(".toml") || path.ends_with(".tmpl");
}

/// What is made at each start before anything reads it: by systemd, or by k3s below server/tls and
/// server/cred (the kubeconfig that a scheduler's configuration has to name, say).
bool is_made_at_start(const std::string& path,
                      const std::string& data_dir,
                      const ServerSettings& settings) {
  const std::string server = data_dir + "/server/";
  const bool of_k3s = (path.starts_with(server + "tls/") || path.starts_with(server + "cred/")) &&
                      !is_operators_credential(path, data_dir, settings);
  return of_k3s || path.starts_with(k_credentials);
}

/// A certificate, a key, a token, a list of names: nothing that names files.
bool is_plain(const std::string& path) {
  return path.ends_with(".pem") || path.ends_with(".crt") || path.ends_with(".key") ||
         path.ends_with(".csv") || path.ends_with(".tgz");
}

} // namespace

std::vector<NamedFile> named_by_settings(const ServerSettings& settings,
                                         const std::string& data_dir) {
  Found found(data_dir + "/server");
  std::set<std::string> flags;
  for (const Setting& setting : settings.all()) {
    flags.insert(setting.flag);
  }
  for (const std::string& flag : flags) {
    if (is_among(k_not_read, flag) || is_secret(flag)) {
      continue;
    }
    for (const Setting& setting : settings.of(flag)) {
      if (flag.ends_with("-arg")) {
        add_component(setting, found);
      } else {
        found.add(setting.value, flag, names_file(flag), is_among(k_needed, flag));
      }
    }
  }
  return found.files();
}

std::vector<NamedFile> named_by_file(const std::string& path, std::string_view text) {
  Found found(fs::path(path).parent_path().string());
  if (is_toml(path)) {
    add_toml(path, text, found);
  }
  if (is_toml(path) || is_plain(path)) {
    return found.files();
  }
  try {
    for (const YAML::Node& document : YAML::LoadAll(std::string(text))) {
      Fields(path, found).read(document, {}, 0);
    }
  } catch (const YAML::Exception&) { // some other kind of file: it names nothing that we know
    return found.files();
  }
  return found.files();
}

std::vector<NamedFile> all_named_files(const HostFiles& files,
                                       const ServerSettings& settings,
                                       const std::string& data_dir) {
  std::vector<NamedFile> all = named_by_settings(settings, data_dir);
  std::erase_if(all, [&](const NamedFile& named) {
    return is_made_at_start(named.path, data_dir, settings);
  });
  std::size_t last_turn = all.size();
  const auto known = [&](const std::string& path) {
    return std::ranges::find(all, path, &NamedFile::path) != all.end();
  };
  const auto read = [&](const std::string& path) {
    const auto text = files.read(path);
    for (NamedFile& next : text ? named_by_file(path, *text) : std::vector<NamedFile>{}) {
      if (!known(next.path) && all.size() < k_all_named_limit &&
          !is_made_at_start(next.path, data_dir, settings)) {
        all.push_back(std::move(next));
      }
    }
  };
  read("/etc/rancher/k3s/registries.yaml");
  for (const char* const name : {"config.toml", "config-v3.toml"}) {
    const std::string config = data_dir + "/agent/etc/containerd/" + name;
    read(config + ".tmpl");
    for (const std::string& drop_in : files.list(config + ".d")) {
      read(config + ".d/" + drop_in);
    }
  }
  std::size_t turn = 0;
  for (std::size_t at = 0; at < all.size() && turn < k_turns_limit; ++at) {
    if (at == last_turn) {
      last_turn = all.size();
      ++turn;
    }
    if (all[at].by != k_config) {
      read(std::string(all[at].path));
    }
  }
  return all;
}

const std::vector<std::string>& operators_places() {
  static const std::vector<std::string> k_places{"server/manifests",
                                                 "agent/pod-manifests",
                                                 "agent/etc/containerd/config.toml.tmpl",
                                                 "agent/etc/containerd/config-v3.toml.tmpl",
                                                 "agent/etc/containerd/config.toml.d",
                                                 "agent/etc/containerd/config-v3.toml.d",
                                                 "agent/etc/kubelet.conf.d",
                                                 "server/static"};
  return k_places;
}

} // namespace rb::k3s
