#include "helm/record.hpp"

#include "helm/json_reader.hpp"
#include "helm/json_string.hpp"

#include <charconv>

namespace rb::helm {

namespace {

class RecordParser {
public:
  RecordParser(std::string_view json, const Limits& limits) : m_reader(json), m_limits(limits) {}

  Result<Record> parse() {
    std::string_view key;
    m_reader.open_object();
    while (m_reader.next_key(key)) {
      read_field(key);
    }
    if (!m_reader.finish()) {
      return m_reader.error();
    }
    if (!m_wrong_type.empty()) {
      return Error{ErrorCode::corrupt,
                   "bad json: " + std::string(m_wrong_type) + " has another type than Helm's",
                   {}};
    }
    if (!m_too_long.empty()) {
      return Error{ErrorCode::unsupported,
                   "too large: " + std::string(m_too_long) + " has more than " +
                       std::to_string(m_limits.max_text_bytes) + " bytes",
                   {}};
    }
    if (m_record.name.empty() || m_record.revision == 0) {
      return Error{ErrorCode::incomplete,
                   std::string("missing field: ") + (m_record.name.empty() ? "name" : "version"),
                   {}};
    }
    return std::move(m_record);
  }

private:
  void read_field(std::string_view key) {
    if (key == "name") {
      read_text(m_record.name, "name");
    } else if (key == "namespace") {
      read_text(m_record.name_space, "namespace");
    } else if (key == "version") {
      read_revision();
    } else if (key == "info") {
      read_info();
    } else if (key == "chart") {
      read_chart();
    } else if (key == "config") {
      m_record.config_json = m_reader.skip();
    } else {
      m_reader.skip();
    }
  }

  void read_text(std::string& field, std::string_view name) {
    const JsonKind kind = m_reader.kind();
    if (kind != JsonKind::string) {
      m_reader.skip();
      if (kind != JsonKind::null) {
        m_wrong_type = name;
      }
      return;
    }
    // Decoded, a text is a sixth of its length at least ("\\u0041").
    const std::string_view raw = m_reader.string();
    SecretBuffer decoded;
    if (raw.size() <= 6 * m_limits.max_text_bytes) {
      append_decoded(decoded, raw);
    }
    if (raw.size() > 6 * m_limits.max_text_bytes || decoded.size() > m_limits.max_text_bytes) {
      m_too_long = name;
      return;
    }
    field = decoded.text();
  }

  void read_revision() {
    if (m_reader.kind() != JsonKind::number) {
      m_wrong_type = "version";
      m_reader.skip();
      return;
    }
    const std::string_view text = m_reader.number();
    const char* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, m_record.revision);
    if (parsed.ec != std::errc{} || parsed.ptr != end || m_record.revision < 0) {
      m_wrong_type = "version";
    }
  }

  /// False (and passed over) where the value is not an object.
  bool enters_object(std::string_view name) {
    const JsonKind kind = m_reader.kind();
    if (kind == JsonKind::object) {
      return m_reader.open_object();
    }
    m_reader.skip();
    if (kind != JsonKind::null) {
      m_wrong_type = name;
    }
    return false;
  }

  void read_info() {
    std::string_view key;
    if (!enters_object("info")) {
      return;
    }
    while (m_reader.next_key(key)) {
      if (key == "status") {
        read_text(m_record.status, "info.status");
      } else if (key == "first_deployed") {
        read_text(m_record.first_deployed, "info.first_deployed");
      } else if (key == "last_deployed") {
        read_text(m_record.last_deployed, "info.last_deployed");
      } else if (key == "deleted") {
        read_text(m_record.deleted, "info.deleted");
      } else {
        m_reader.skip();
      }
    }
  }

  void read_chart() {
    std::string_view key;
    if (!enters_object("chart")) {
      return;
    }
    while (m_reader.next_key(key)) {
      if (key == "metadata") {
        read_chart_metadata();
      } else {
        m_reader.skip();
      }
    }
  }

  void read_chart_metadata() {
    std::string_view key;
    if (!enters_object("chart.metadata")) {
      return;
    }
    while (m_reader.next_key(key)) {
      if (key == "name") {
        read_text(m_record.chart_name, "chart.metadata.name");
      } else if (key == "version") {
        read_text(m_record.chart_version, "chart.metadata.version");
      } else if (key == "appVersion") {
        read_text(m_record.app_version, "chart.metadata.appVersion");
      } else if (key == "annotations" && m_reader.kind() == JsonKind::object) {
        read_chart_annotations();
      } else {
        m_reader.skip();
      }
    }
  }

  /// Those of another type are the chart's own affair.
  void read_chart_annotations() {
    std::string_view key;
    m_reader.open_object();
    while (m_reader.next_key(key)) {
      if (key == "fleet.cattle.io/bundle-id" && m_reader.kind() == JsonKind::string) {
        read_text(m_record.bundle_id, "chart.metadata.annotations");
      } else {
        m_reader.skip();
      }
    }
  }

  JsonReader m_reader;
  Record m_record;
  const Limits& m_limits;
  std::string_view m_wrong_type;
  std::string_view m_too_long;
};

} // namespace

Result<Record> parse_record(std::string_view json, const Limits& limits) {
  return RecordParser(json, limits).parse();
}

} // namespace rb::helm
