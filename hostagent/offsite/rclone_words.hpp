// What rclone prints when it succeeds, and why it failed. Pure; bad input gives an error.
#pragma once

#include "offsite/remote_store.hpp"

#include "api/reason.hpp"
#include "base/process.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rb::offsite {

/// `rclone lsjson`: files only; names that are not single components are left out. Errors: corrupt.
[[nodiscard]] Result<std::vector<RemoteFile>> parse_listing(std::string_view json);

/// `rclone hashsum sha256 FILE`: one line of 64 hex digits, two spaces and a name. Errors: corrupt.
[[nodiscard]] Result<std::string> parse_sha256(std::string_view text);

/// The advice where nothing more is known of why the remote denied something.
inline constexpr std::string_view k_look_at_password =
    "look at user and password in rclone.conf (its `pass` is what `rclone obscure` prints, not the "
    "password as it is typed)";

/// Nothing when it succeeded. `subject` begins the message; rclone's last words follow, on one
/// line, without its time stamp and without user and password of a URL.
[[nodiscard]] std::optional<Error> rclone_failure(const ProcessResult& result,
                                                  const std::string& subject);

/// The word of the condition Replicated for a failure.
[[nodiscard]] api::Reason reason_of(const Error& error);

} // namespace rb::offsite
