// From an HTTP response of the API server to our Error. Pure.
#pragma once

#include "base/error.hpp"
#include "kube/transport.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string_view>

namespace rb::kube {

/// The error of a response with a status of 300 or more. The message is "WHAT: REASON", where the
/// reason is the message of the body's metav1.Status (printable, at most 512 bytes), or only its
/// reason when `confidential`, or "HTTP nnn" when the body is no Status.
[[nodiscard]] Error error_from_response(std::string_view what,
                                        int http_status,
                                        std::chrono::seconds retry_after,
                                        std::string_view body,
                                        bool confidential);

/// The same for a Status that came as JSON (an ERROR event of a watch). Its `code` field is the
/// HTTP status.
[[nodiscard]] Error
error_from_status(std::string_view what, const nlohmann::json& status, bool confidential);

} // namespace rb::kube
