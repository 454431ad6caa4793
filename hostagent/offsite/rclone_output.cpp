#include "offsite/rclone_output.hpp"

#include "base/json_fields.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace rb::offsite {

namespace {

constexpr std::size_t k_hex_digits = 64;

} // namespace

Result<std::vector<RemoteFile>> parse_listing(std::string_view json) {
  std::vector<RemoteFile> files;
  try {
    for (const auto& item : json_of(json)) {
      const auto name = item.at("Name").get<std::string>();
      // Sizes that the backend does not know are -1.
      const auto size = json_integer<std::int64_t>(item.at("Size"));
      if (!item.value("IsDir", false) && !name.empty() && name.find('/') == std::string::npos) {
        files.push_back({name, static_cast<std::uint64_t>(std::max<std::int64_t>(size, 0))});
      }
    }
  } catch (const nlohmann::json::exception&) {
    return Error{ErrorCode::corrupt, "the listing of rclone cannot be read", {}};
  }
  return files;
}

Result<std::string> parse_sha256(std::string_view text) {
  const std::string_view digest = text.substr(0, std::min(k_hex_digits, text.size()));
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (digest.size() != k_hex_digits || !std::ranges::all_of(digest, is_hex) ||
      text.substr(k_hex_digits, 1) != " ") {
    return Error{ErrorCode::corrupt, "rclone gave no SHA-256", {}};
  }
  return std::string(digest);
}

} // namespace rb::offsite
