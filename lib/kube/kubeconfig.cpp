// A kubeconfig (Kubernetes documentation, "kubeconfig (v1)"), or several that make one, as
// $KUBECONFIG names them. What we do not do is refused by name: a setting that is silently ignored
// would connect as somebody else, or nowhere.
#include "base/fd.hpp"
#include "kube/client_config.hpp"

#include <yaml-cpp/yaml.h>

#include <filesystem>
#include <optional>

namespace rb::kube {

namespace {

constexpr std::size_t k_limit_bytes = std::size_t{4} * 1024 * 1024;

Error malformed(std::string message) {
  return {ErrorCode::corrupt, std::move(message), {}};
}

/// Its text may quote the file; the place is enough.
Error not_yaml(const YAML::Exception& exception) {
  return malformed("not valid YAML at line " + std::to_string(exception.mark.line + 1));
}

/// A file; relative paths in it start at `directory`.
struct Part {
  YAML::Node root;
  std::string directory;
};
using Parts = std::vector<Part>;

/// What stands under a name in one of them.
struct Found {
  YAML::Node body;
  std::string directory;
};

/// The scalar under `key`, or "" when it is absent or null.
std::string scalar(const YAML::Node& map, const char* key) {
  const YAML::Node value = map[key];
  return value && value.IsScalar() ? value.Scalar() : std::string();
}

/// The member `inner` of the first entry called `name` in the lists `list`.
Result<Found>
entry(const Parts& parts, const char* list, const char* inner, const std::string& name) {
  for (const Part& part : parts) {
    const YAML::Node entries = part.root[list];
    if (!entries || !entries.IsSequence()) {
      continue;
    }
    for (const YAML::Node& candidate : entries) {
      if (candidate.IsMap() && scalar(candidate, "name") == name) {
        const YAML::Node body = candidate[inner];
        return Found{body && body.IsMap() ? body : YAML::Node(YAML::NodeType::Map), part.directory};
      }
    }
  }
  return Error{ErrorCode::invalid_argument,
               "no entry \"" + name + "\" in \"" + list + "\"",
               "see: kubectl config view"};
}

Result<SecretBytes> decode(const std::string& text, const char* key) {
  std::string compact;
  for (const char c : text) {
    if (c != ' ' && c != '\n' && c != '\r' && c != '\t') {
      compact.push_back(c);
    }
  }
  auto decoded = from_base64(compact);
  wipe({reinterpret_cast<std::uint8_t*>(compact.data()), compact.size()});
  if (!decoded) {
    return malformed(std::string(key) + " is not base64");
  }
  SecretBytes bytes{ByteView(*decoded)};
  wipe(*decoded);
  return bytes;
}

/// `key`-data wins over the file `key`, as in client-go.
Result<FileOrBytes>
material(const YAML::Node& map, const std::string& key, const std::string& directory) {
  FileOrBytes result;
  const std::string data_key = key + "-data";
  const std::string data = scalar(map, data_key.c_str());
  if (!data.empty()) {
    RB_TRY_ASSIGN(result.bytes, decode(data, data_key.c_str()));
    return result;
  }
  const std::string path = scalar(map, key.c_str());
  if (!path.empty()) {
    result.path = (std::filesystem::path(directory) / path).string(); // an absolute path stays
  }
  return result;
}

Status refuse(const YAML::Node& map, const char* key, const char* instead) {
  const YAML::Node value = map[key];
  if (!value || value.IsNull() || (value.IsScalar() && value.Scalar() == "false")) {
    return {};
  }
  return Error{ErrorCode::unsupported, "\"" + std::string(key) + "\" is not supported", instead};
}

Status read_cluster(const YAML::Node& cluster, const std::string& directory, ClientConfig& config) {
  RB_TRY(refuse(
      cluster, "insecure-skip-tls-verify", "put the server's CA into certificate-authority-data"));
  RB_TRY(refuse(cluster, "proxy-url", "connect to the API server directly"));
  RB_TRY_ASSIGN(const ServerUrl url, parse_server_url(scalar(cluster, "server")));
  config.server = url.text();
  config.tls_server_name = scalar(cluster, "tls-server-name");
  RB_TRY_ASSIGN(config.ca, material(cluster, "certificate-authority", directory));
  return {};
}

Status read_user(const YAML::Node& user, const std::string& directory, ClientConfig& config) {
  constexpr const char* use = "use a client certificate or a token (kubectl create token)";
  for (const char* key : {"exec", "auth-provider", "username", "as", "as-groups", "as-uid"}) {
    RB_TRY(refuse(user, key, use));
  }
  RB_TRY_ASSIGN(config.client_certificate, material(user, "client-certificate", directory));
  RB_TRY_ASSIGN(config.client_key, material(user, "client-key", directory));
  if (config.client_certificate.given() != config.client_key.given()) {
    return malformed("a client certificate needs its key, and a key its certificate");
  }
  const std::string token_file = scalar(user, "tokenFile");
  const std::string token = scalar(user, "token");
  if (!token_file.empty()) {
    config.token.path = (std::filesystem::path(directory) / token_file).string();
  } else if (!token.empty()) {
    config.token.bytes = SecretBytes(as_bytes(token));
  }
  return {};
}

/// The context of that name or, where `wanted` is empty, the first one that is the current one.
std::string context_of(const Parts& parts, std::string_view wanted) {
  std::string name(wanted);
  for (const Part& part : parts) {
    if (name.empty()) {
      name = scalar(part.root, "current-context");
    }
  }
  return name;
}

Result<ClientConfig> read(const Parts& parts, std::string_view wanted) {
  const std::string name = context_of(parts, wanted);
  if (name.empty()) {
    return Error{ErrorCode::invalid_argument,
                 "no current-context is set",
                 "name one with --context, or: kubectl config use-context NAME"};
  }
  RB_TRY_ASSIGN(const Found context, entry(parts, "contexts", "context", name));
  RB_TRY_ASSIGN(const Found cluster,
                entry(parts, "clusters", "cluster", scalar(context.body, "cluster")));
  ClientConfig config;
  RB_TRY(read_cluster(cluster.body, cluster.directory, config));
  const std::string user_name = scalar(context.body, "user");
  if (!user_name.empty()) {
    RB_TRY_ASSIGN(const Found user, entry(parts, "users", "user", user_name));
    RB_TRY(read_user(user.body, user.directory, config));
  }
  config.name_space = scalar(context.body, "namespace");
  return config;
}

Result<ClientConfig> config_of(const Parts& parts, std::string_view context) {
  try {
    return read(parts, context);
  } catch (const YAML::Exception& exception) {
    return not_yaml(exception);
  }
}

/// Its root is null where the file is empty.
Result<Part> part_of(std::string_view text, const std::string& directory) {
  try {
    Part part{YAML::Load(std::string(text)), directory};
    if (!part.root.IsNull() && !part.root.IsMap()) {
      return malformed("not a kubeconfig");
    }
    return part;
  } catch (const YAML::Exception& exception) {
    return not_yaml(exception);
  }
}

Result<Part> load_part(const std::string& path) {
  RB_TRY_ASSIGN(const SecretBytes text, read_secret_file(path, k_limit_bytes));
  const std::string directory = std::filesystem::path(path).parent_path().string();
  auto part = part_of(text.text(), directory.empty() ? "." : directory);
  if (!part) {
    return std::move(part).error().within(path);
  }
  return part;
}

} // namespace

Result<ClientConfig> load_kubeconfigs(const std::vector<std::string>& paths,
                                      std::string_view context) {
  Parts parts;
  std::string names;
  std::optional<Error> absent;
  for (const std::string& path : paths) {
    auto part = load_part(path);
    if (!part && part.error().code == ErrorCode::not_found) {
      absent = std::move(part).error();
      continue;
    }
    if (!part) {
      return std::move(part).error();
    }
    names += (names.empty() ? "" : ", ") + path;
    if (!part->root.IsNull()) {
      parts.push_back(*std::move(part));
    }
  }
  if (names.empty() && absent) {
    return *std::move(absent);
  }
  if (parts.empty()) {
    return malformed("not a kubeconfig").within(names);
  }
  auto config = config_of(parts, context);
  if (!config) {
    return std::move(config).error().within(names);
  }
  return config;
}

Result<ClientConfig> load_kubeconfig(const std::string& path, std::string_view context) {
  return load_kubeconfigs({path}, context);
}

Result<ClientConfig>
parse_kubeconfig(std::string_view text, const std::string& directory, std::string_view context) {
  RB_TRY_ASSIGN(const Part part, part_of(text, directory));
  if (part.root.IsNull()) {
    return malformed("not a kubeconfig");
  }
  return config_of(Parts{part}, context);
}

} // namespace rb::kube
