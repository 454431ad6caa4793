#include "set/yaml.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <optional>
#include <sstream>
#include <string>

namespace rb::set {

namespace {

/// Told of what the parser finds, of which only the first thing counts: no tree is built.
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
