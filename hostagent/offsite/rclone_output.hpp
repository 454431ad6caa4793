// What rclone prints when it succeeds. Pure; bad input gives an error.
#pragma once

#include "offsite/remote_store.hpp"

#include <string_view>

namespace rb::offsite {

/// `rclone lsjson`: files only; names that are not single components are left out. Errors: corrupt.
[[nodiscard]] Result<std::vector<RemoteFile>> parse_listing(std::string_view json);

/// `rclone hashsum sha256 FILE`: one line of 64 hex digits, two spaces and a name. Errors: corrupt.
[[nodiscard]] Result<std::string> parse_sha256(std::string_view text);

} // namespace rb::offsite
