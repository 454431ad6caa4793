// The JSON of one stored release (Helm 3 and 4, pkg/release), as far as we keep it. Private to this
// room.
#pragma once

#include "base/result.hpp"
#include "helm/limits.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace rb::helm {

struct Record {
  std::string name;
  std::string name_space;
  std::int64_t revision = 0;
  std::string status;
  std::string first_deployed;
  std::string last_deployed;
  std::string deleted;
  std::string chart_name;
  std::string chart_version;
  std::string app_version;
  std::string bundle_id; ///< chart.metadata.annotations["fleet.cattle.io/bundle-id"]
  /// Points into the JSON; "null" where the record has none.
  std::string_view config_json = "null";
};

/// Fields that are absent or null stay empty. Errors: corrupt (not JSON, a field of another type),
/// incomplete (`name` or `version` is missing), unsupported (a text beyond max_text_bytes).
[[nodiscard]] Result<Record> parse_record(std::string_view json, const Limits& limits);

} // namespace rb::helm
