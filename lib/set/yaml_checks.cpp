#include "set/content_check.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <optional>
#include <sstream>
#include <string>

namespace rb::set {

namespace {

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

/// Whether there is such data, and it is good.
bool look_at_pem(const YAML::Node& item, const char* key, FileReport& report) {
  const std::string data = scalar(item, key);
  if (!data.empty() && !is_pem_data(data)) {
    report.note_odd(std::string(key) + " is not PEM in base64");
    return false;
  }
  return !data.empty();
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

void look_at_tree(const YAML::Node& root, FileReport& report) {
  if (!root.IsMap()) {
    return report.note_odd("not a YAML mapping");
  }
  const auto clusters = items(root, "clusters", "cluster");
  const auto users = items(root, "users", "user");
  if (std::none_of(clusters.begin(), clusters.end(), [](const YAML::Node& cluster) {
        return !scalar(cluster, "server").empty();
      })) {
    report.note_odd("names no cluster");
  }
  bool authority = false;
  for (const YAML::Node& cluster : clusters) {
    authority = look_at_pem(cluster, "certificate-authority-data", report) || authority;
  }
  if (std::none_of(users.begin(), users.end(), has_credentials)) {
    report.note_odd("holds no credentials");
  }
  bool certificate = false;
  for (const YAML::Node& user : users) {
    certificate = look_at_pem(user, "client-certificate-data", report) || certificate;
    look_at_pem(user, "client-key-data", report);
  }
  if (report.odd_total == 0) {
    report.proven.emplace_back("kubeconfig");
  }
  if (authority) {
    report.proven.emplace_back("cluster CA");
  }
  if (certificate) {
    report.proven.emplace_back("client certificate");
  }
}

/// Hears of what the parser finds, of which only the first thing counts: no tree is built.
class RootKind final : public YAML::EventHandler {
public:
  void OnDocumentStart(const YAML::Mark& /*mark*/) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& /*mark*/, YAML::anchor_t /*anchor*/) override {
    see(YamlKind::null);
  }
  void OnAlias(const YAML::Mark& /*mark*/, YAML::anchor_t /*anchor*/) override {
    see(YamlKind::invalid);
  }
  void OnScalar(const YAML::Mark& /*mark*/,
                const std::string& /*tag*/,
                YAML::anchor_t /*anchor*/,
                const std::string& value) override {
    // To the parser, an unquoted null is a scalar like others.
    see(value == "null" || value == "~" ? YamlKind::null : YamlKind::scalar);
  }
  void OnSequenceStart(const YAML::Mark& /*mark*/,
                       const std::string& /*tag*/,
                       YAML::anchor_t /*anchor*/,
                       YAML::EmitterStyle::value /*style*/) override {
    see(YamlKind::sequence);
  }
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark& /*mark*/,
                  const std::string& /*tag*/,
                  YAML::anchor_t /*anchor*/,
                  YAML::EmitterStyle::value /*style*/) override {
    see(YamlKind::map);
  }
  void OnMapEnd() override {}

  [[nodiscard]] YamlKind kind() const { return m_kind.value_or(YamlKind::null); }

private:
  void see(YamlKind kind) {
    if (!m_kind) {
      m_kind = kind;
    }
  }

  std::optional<YamlKind> m_kind;
};

} // namespace

void look_at_kubeconfig(ByteView yaml, FileReport& report) {
  try {
    const auto documents = YAML::LoadAll(std::string(as_text(yaml)));
    if (documents.size() == 1) {
      look_at_tree(documents.front(), report);
    } else {
      report.note_odd("not one YAML document");
    }
  } catch (const std::exception&) { // its messages may quote the text
    report.note_odd("not YAML");
  }
}

YamlKind yaml_kind(std::string_view text) {
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    RootKind root;
    RootKind others;
    parser.HandleNextDocument(root);
    return parser.HandleNextDocument(others) ? YamlKind::invalid : root.kind();
  } catch (const std::exception&) { // its messages may quote the text
    return YamlKind::invalid;
  }
}

} // namespace rb::set
