// Reading a kubeconfig (Kubernetes documentation, "kubeconfig (v1)"). What we do not do is refused
// by name: a setting that is silently ignored would connect as somebody else, or nowhere.
#include "kube/client_config.hpp"
#include "kube/server_url.hpp"

#include <yaml-cpp/yaml.h>

#include <filesystem>

namespace rb::kube {

namespace {

Error malformed(std::string message) {
  return {ErrorCode::corrupt, std::move(message), {}};
}

/// The scalar under `key`, or "" when it is absent or null.
std::string scalar(const YAML::Node& map, const char* key) {
  const YAML::Node value = map[key];
  return value && value.IsScalar() ? value.Scalar() : std::string();
}

/// The member `inner` of the entry called `name` in the list `list`.
Result<YAML::Node>
entry(const YAML::Node& root, const char* list, const char* inner, const std::string& name) {
  const YAML::Node entries = root[list];
  if (entries && entries.IsSequence()) {
    for (const YAML::Node& candidate : entries) {
      if (candidate.IsMap() && scalar(candidate, "name") == name) {
        const YAML::Node body = candidate[inner];
        return body && body.IsMap() ? body : YAML::Node(YAML::NodeType::Map);
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

Result<ClientConfig>
read(const YAML::Node& root, const std::string& directory, std::string_view wanted) {
  if (!root.IsMap()) {
    return malformed("not a kubeconfig");
  }
  const std::string name = wanted.empty() ? scalar(root, "current-context") : std::string(wanted);
  if (name.empty()) {
    return Error{ErrorCode::invalid_argument,
                 "no current-context is set",
                 "name one with --context, or: kubectl config use-context NAME"};
  }
  RB_TRY_ASSIGN(const YAML::Node context, entry(root, "contexts", "context", name));
  RB_TRY_ASSIGN(const YAML::Node cluster,
                entry(root, "clusters", "cluster", scalar(context, "cluster")));
  ClientConfig config;
  RB_TRY(read_cluster(cluster, directory, config));
  const std::string user_name = scalar(context, "user");
  if (!user_name.empty()) {
    RB_TRY_ASSIGN(const YAML::Node user, entry(root, "users", "user", user_name));
    RB_TRY(read_user(user, directory, config));
  }
  config.name_space = scalar(context, "namespace");
  return config;
}

} // namespace

Result<ClientConfig>
parse_kubeconfig(std::string_view text, const std::string& directory, std::string_view context) {
  try {
    return read(YAML::Load(std::string(text)), directory, context);
  } catch (const YAML::Exception& e) {
    // Its text may quote the file; the place is enough.
    return malformed("not valid YAML at line " + std::to_string(e.mark.line + 1));
  }
}

} // namespace rb::kube
