#include "helm/release.hpp"

#include "archive/entry_path.hpp"
#include "archive/gzip.hpp"
#include "base/secret_bytes.hpp"
#include "helm/index.hpp"
#include "helm/json_reader.hpp"
#include "helm/scalars.hpp"
#include "helm/values_yaml.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <map>
#include <span>
#include <utility>

namespace rb::helm {

namespace {

constexpr std::string_view k_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint32_t k_bad = 0x80000000U;

using Table = std::array<std::uint32_t, 256>;

/// The value of each digit, moved to its place in a group of 24 bits.
constexpr Table make_table(unsigned shift) {
  Table table{};
  table.fill(k_bad);
  for (std::size_t i = 0; i < k_digits.size(); ++i) {
    table[static_cast<std::uint8_t>(k_digits[i])] = static_cast<std::uint32_t>(i) << shift;
  }
  return table;
}

constexpr std::array<Table, 4> k_tables{
    make_table(18), make_table(12), make_table(6), make_table(0)};

std::uint32_t group(const char* digits) {
  const auto value = [&](std::size_t i) {
    return k_tables[i][static_cast<std::uint8_t>(digits[i])];
  };
  return value(0) | value(1) | value(2) | value(3);
}

Error not_base64() {
  return {ErrorCode::corrupt, "bad base64: not base64, or cut off", {}};
}

/// `text` has neither line breaks nor padding that does not end it.
Result<SecretBytes> decode_groups(std::string_view text) {
  if (text.size() % 4 != 0) {
    return not_base64();
  }
  if (text.empty()) {
    return SecretBytes();
  }
  const std::size_t padding = text.ends_with("==") ? 2 : (text.ends_with('=') ? 1 : 0);
  SecretBytes bytes(text.size() / 4 * 3 - padding);
  std::uint8_t* out = bytes.data();
  const std::size_t whole = text.size() - (padding == 0 ? 0 : 4);
  std::uint32_t seen = 0;
  for (std::size_t i = 0; i < whole; i += 4) {
    const std::uint32_t bits = group(text.data() + i);
    seen |= bits;
    *out++ = static_cast<std::uint8_t>(bits >> 16U);
    *out++ = static_cast<std::uint8_t>(bits >> 8U);
    *out++ = static_cast<std::uint8_t>(bits);
  }
  if (padding != 0) {
    std::array<char, 4> last{'A', 'A', 'A', 'A'};
    text.substr(whole, 4 - padding).copy(last.data(), last.size());
    const std::uint32_t bits = group(last.data());
    seen |= bits;
    *out++ = static_cast<std::uint8_t>(bits >> 16U);
    if (padding == 1) {
      *out = static_cast<std::uint8_t>(bits >> 8U);
    }
  }
  if ((seen & k_bad) != 0) {
    return not_base64();
  }
  return bytes;
}

/// RFC 4648 section 4 with padding, as Go's base64.StdEncoding takes it: line breaks are passed
/// over, unused bits may have any value. Fast, for each release passes through it twice. Errors:
/// corrupt.
Result<SecretBytes> decode_base64(std::string_view text) {
  if (text.find('\n') == std::string_view::npos &&
      text.find('\r') == std::string_view::npos) { // two memchr
    return decode_groups(text);
  }
  SecretBuffer joined(text.size());
  for (const char c : text) {
    if (c != '\r' && c != '\n') {
      joined.append(c);
    }
  }
  return decode_groups(joined.text());
}

/// The JSON of one stored release (Helm 3 and 4, pkg/release), as far as we keep it.
struct Record : ReleaseKey, ReleaseFacts {
  std::string bundle_id; ///< chart.metadata.annotations["fleet.cattle.io/bundle-id"]
  /// Points into the JSON; "null" where the record has none.
  std::string_view config_json = "null";
  std::string_view manifest_json; ///< So, too.
};

class RecordParser {
public:
  RecordParser(std::string_view json, const Limits& limits) : m_reader(json), m_limits(limits) {}

  Result<Record> parse() {
    m_reader.open_object();
    read_members(k_own_texts, [this](std::string_view key) { return read_part(key); });
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
  struct Text {
    std::string_view key;
    std::string Record::*field;
    std::string_view name; ///< In messages.
  };
  static constexpr std::array<Text, 0> k_no_texts{};
  static constexpr std::array<Text, 2> k_own_texts{
      {{"name", &Record::name, "name"}, {"namespace", &Record::name_space, "namespace"}}};
  static constexpr std::array<Text, 4> k_info_texts{
      {{"status", &Record::status, "info.status"},
       {"first_deployed", &Record::first_deployed, "info.first_deployed"},
       {"last_deployed", &Record::last_deployed, "info.last_deployed"},
       {"deleted", &Record::deleted, "info.deleted"}}};
  static constexpr std::array<Text, 3> k_chart_texts{
      {{"name", &Record::chart_name, "chart.metadata.name"},
       {"version", &Record::chart_version, "chart.metadata.version"},
       {"appVersion", &Record::app_version, "chart.metadata.appVersion"}}};

  /// Of an object that is open, to its end. `part` takes what is not among the texts, or says that
  /// it does not.
  void read_members(std::span<const Text> texts,
                    const std::function<bool(std::string_view)>& part) {
    std::string_view key;
    while (m_reader.next_key(key)) {
      const auto text = std::ranges::find(texts, key, &Text::key);
      if (text != texts.end()) {
        read_text(m_record.*text->field, text->name);
      } else if (!part || !part(key)) {
        m_reader.skip();
      }
    }
  }

  bool read_part(std::string_view key) {
    if (key == "version") {
      read_revision();
    } else if (key == "info") {
      if (enters_object("info")) {
        read_members(k_info_texts, {});
      }
    } else if (key == "chart") {
      read_chart();
    } else if (key == "config") {
      m_record.config_json = m_reader.skip();
    } else if (key == "manifest") {
      m_record.manifest_json = m_reader.skip();
    } else {
      return false;
    }
    return true;
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

  void read_chart() {
    if (!enters_object("chart")) {
      return;
    }
    read_members(k_no_texts, [this](std::string_view key) {
      if (key != "metadata") {
        return false;
      }
      if (enters_object("chart.metadata")) {
        read_members(k_chart_texts,
                     [this](std::string_view part) { return read_annotations(part); });
      }
      return true;
    });
  }

  /// Those of another type are the chart's own affair.
  bool read_annotations(std::string_view key) {
    if (key != "annotations" || m_reader.kind() != JsonKind::object) {
      return false;
    }
    m_reader.open_object();
    read_members(k_no_texts, [this](std::string_view name) {
      if (name != "fleet.cattle.io/bundle-id" || m_reader.kind() != JsonKind::string) {
        return false;
      }
      read_text(m_record.bundle_id, "chart.metadata.annotations");
      return true;
    });
    return true;
  }

  JsonReader m_reader;
  Record m_record;
  const Limits& m_limits;
  std::string_view m_wrong_type;
  std::string_view m_too_long;
};

/// Fields that are absent or null stay empty. Errors: corrupt (not JSON, a field of another type),
/// incomplete (`name` or `version` is missing), unsupported (a text beyond max_text_bytes).
Result<Record> parse_record(std::string_view json, const Limits& limits) {
  return RecordParser(json, limits).parse();
}

Status check_names(const std::string& name_space, const std::string& name, std::string_view who) {
  if (is_safe_namespace(name_space) && is_safe_release_name(name)) {
    return {};
  }
  return Error{ErrorCode::invalid_argument,
               "unsafe name: " + std::string(who) + " namespace '" +
                   archive::printable(name_space) + "', release '" + archive::printable(name) + "'",
               "no file is written under such a name; look at who made this object"};
}

Result<SecretBytes> unpack(SecretBytes packed, const Limits& limits) {
  if (!archive::looks_like_gzip(packed.view())) {
    return packed; // the first releases of Helm 3 stored plain JSON
  }
  auto json = archive::gunzip(packed.view(),
                              {.max_bytes = limits.max_json_bytes,
                               .max_ratio = limits.max_ratio,
                               .ratio_floor_bytes = limits.ratio_floor_bytes});
  if (!json) {
    const bool bomb = json.error().code == ErrorCode::unsupported;
    return std::move(json).error().within(bomb ? "too large" : "bad gzip");
  }
  return json;
}

/// The record says of itself what Helm wrote; only what makes a file name is taken from outside.
Result<Release> make_release(const StoredRelease& stored, Record record, const Limits& limits) {
  RB_TRY_ASSIGN(ReleaseKey key, release_key(stored));
  RB_TRY(check_names(key.name_space, key.name, "stored as"));
  if (record.name_space.empty()) {
    record.name_space = key.name_space;
  }
  RB_TRY(check_names(record.name_space, record.name, "the record says"));
  RB_TRY_ASSIGN(SecretBytes yaml, values_yaml(record.config_json, limits));
  Release release;
  release.key = std::move(key);
  release.kind = stored.kind;
  release.storage_object = stored.storage_object();
  static_cast<ReleaseFacts&>(release) = std::move(static_cast<ReleaseFacts&>(record));
  release.recorded = std::move(static_cast<ReleaseKey&>(record));
  std::map<std::string, std::string> labels = stored.labels;
  labels.merge(api::flux_labels(record.manifest_json));
  release.owner = api::find_owner({release.key.name_space,
                                   release.key.name,
                                   release.chart_version,
                                   record.bundle_id,
                                   std::move(labels),
                                   stored.controller});
  release.has_values = yaml.text() != "null\n" && yaml.text() != "{}\n";
  release.values_yaml = std::move(yaml);
  const std::string odd =
      unusable(indexed(release, values_file(release.key.name_space, release.key.name)), limits);
  return odd.empty() ? Result<Release>(std::move(release)) : Error{ErrorCode::unsupported, odd, {}};
}

Status check_size(std::string_view stored, const Limits& limits) {
  if (stored.empty()) {
    return Error{ErrorCode::incomplete, "missing field: the object has no data 'release'", {}};
  }
  if (stored.size() > limits.max_stored_bytes) {
    return Error{ErrorCode::unsupported,
                 "too large: the record has more than " + std::to_string(limits.max_stored_bytes) +
                     " bytes",
                 {}};
  }
  return {};
}

} // namespace

Result<Release>
decode_release_record(const StoredRelease& stored, std::string_view record, const Limits& limits) {
  RB_TRY(check_size(record, limits));
  RB_TRY_ASSIGN(SecretBytes packed, decode_base64(record));
  RB_TRY_ASSIGN(const SecretBytes json, unpack(std::move(packed), limits));
  RB_TRY_ASSIGN(Record parsed, parse_record(json.text(), limits));
  return make_release(stored, std::move(parsed), limits);
}

Result<Release>
decode_release(const StoredRelease& stored, std::string_view api_data, const Limits& limits) {
  switch (stored.kind) {
  case StorageKind::config_map:
    return decode_release_record(stored, api_data, limits);
  case StorageKind::secret:
    break;
  }
  RB_TRY(check_size(api_data, limits));
  RB_TRY_ASSIGN(const SecretBytes record, decode_base64(api_data));
  return decode_release_record(stored, record.text(), limits);
}

api::UndecodableRelease undecodable(const StoredRelease& stored, const Error& error) {
  return {stored.name_space, stored.storage_object(), error.message};
}

OddRelease odd_release(const StoredRelease& stored,
                       std::string_view api_data,
                       const Error& error,
                       const Limits& limits) {
  OddRelease odd{undecodable(stored, error), {}};
  if (api_data.size() > limits.max_stored_bytes) {
    return odd;
  }
  auto stored_bytes = stored.kind == StorageKind::secret
                          ? decode_base64(api_data)
                          : Result<SecretBytes>(SecretBytes(as_bytes(api_data)));
  odd.raw = stored_bytes ? std::move(stored_bytes).value() : SecretBytes(as_bytes(api_data));
  return odd;
}

} // namespace rb::helm
