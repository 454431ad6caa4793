#include "unpack/small_checks.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>

namespace rb::unpack {

namespace {

Error damaged(const std::string& what) {
  return {ErrorCode::corrupt, "kubeconfig: " + what, {}};
}

/// The text below `key`, or nothing.
std::string scalar(const YAML::Node& map, const char* key) {
  if (!map.IsMap()) {
    return {};
  }
  const YAML::Node value = map[key];
  return value && value.IsScalar() ? value.Scalar() : std::string();
}

/// What the entries of a list hold below `key`: the clusters, or the users.
std::vector<YAML::Node> items(const YAML::Node& root, const char* list, const char* key) {
  std::vector<YAML::Node> found;
  const YAML::Node entries = root[list];
  if (!entries || !entries.IsSequence()) {
    return found;
  }
  for (const YAML::Node& entry : entries) {
    const YAML::Node item = entry.IsMap() ? entry[key] : YAML::Node();
    if (item && item.IsMap()) {
      found.push_back(item);
    }
  }
  return found;
}

/// Base64 of something that begins and ends as PEM does (RFC 7468).
bool is_pem_data(const std::string& base64) {
  const auto decoded = from_base64(base64);
  return decoded && as_text(*decoded).find("-----BEGIN ") != std::string_view::npos &&
         as_text(*decoded).find("-----END ") != std::string_view::npos;
}

Status check_pem(const YAML::Node& item, const char* key, std::size_t& count) {
  const std::string data = scalar(item, key);
  if (data.empty()) {
    return {};
  }
  ++count;
  return is_pem_data(data) ? Status() : damaged(std::string(key) + " is not PEM in base64");
}

bool has_credentials(const YAML::Node& user) {
  constexpr std::array<const char*, 6> k_kinds{
      "token", "tokenFile", "exec", "auth-provider", "username", "client-certificate"};
  const bool certificate = !scalar(user, "client-certificate-data").empty() &&
                           (!scalar(user, "client-key-data").empty() || user["client-key"]);
  return certificate || std::any_of(k_kinds.begin(), k_kinds.end(), [&](const char* kind) {
           return static_cast<bool>(user[kind]);
         });
}

Status check_tree(const YAML::Node& root, std::vector<std::string>& proven) {
  if (!root.IsMap()) {
    return damaged("not a YAML mapping");
  }
  const auto clusters = items(root, "clusters", "cluster");
  const auto users = items(root, "users", "user");
  std::size_t authorities = 0;
  std::size_t certificates = 0;
  if (std::none_of(clusters.begin(), clusters.end(), [](const YAML::Node& cluster) {
        return !scalar(cluster, "server").empty();
      })) {
    return damaged("names no cluster");
  }
  for (const YAML::Node& cluster : clusters) {
    RB_TRY(check_pem(cluster, "certificate-authority-data", authorities));
  }
  if (std::none_of(users.begin(), users.end(), has_credentials)) {
    return damaged("holds no credentials");
  }
  for (const YAML::Node& user : users) {
    std::size_t keys = 0;
    RB_TRY(check_pem(user, "client-certificate-data", certificates));
    RB_TRY(check_pem(user, "client-key-data", keys));
  }
  proven.emplace_back("kubeconfig");
  if (authorities > 0) {
    proven.emplace_back("cluster CA");
  }
  if (certificates > 0) {
    proven.emplace_back("client certificate");
  }
  return {};
}

} // namespace

Status check_kubeconfig(ByteView yaml, std::vector<std::string>& proven) {
  try {
    const auto documents = YAML::LoadAll(std::string(as_text(yaml)));
    return documents.size() == 1 ? check_tree(documents.front(), proven)
                                 : damaged("not one YAML document");
  } catch (const std::exception&) { // its messages may quote the text
    return damaged("not YAML");
  }
}

} // namespace rb::unpack
