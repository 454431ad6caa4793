// Why rclone failed, from its exit status and its words. Pure.
#pragma once

#include "api/reason.hpp"
#include "base/process.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace rb::offsite {

/// Nothing when it succeeded. `subject` begins the message; rclone's last words follow, on one
/// line, without its time stamp and without user and password of a URL.
[[nodiscard]] std::optional<Error> rclone_failure(const ProcessResult& result,
                                                  const std::string& subject);

/// The word of the condition Replicated for a failure.
[[nodiscard]] api::Reason reason_of(const Error& error);

} // namespace rb::offsite
