#include "kube/status_error.hpp"

#include "terminal/terminal_text.hpp"

#include "base/json_fields.hpp"

#include <nlohmann/json.hpp>

namespace rb::kube {

namespace {

using nlohmann::json;

constexpr std::size_t k_message_limit_bytes = 512;

/// The fields of metav1.Status that we use; empty where the body has none.
struct StatusFields {
  std::string reason;
  std::string message;
  int code = 0;
  std::chrono::seconds retry_after{0};
};

std::string text_field(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

int int_field(const json& object, const char* key) {
  const auto found = object.find(key);
  const bool fits =
      found != object.end() && found->is_number_integer() && *found >= 0 && *found <= 1'000'000;
  return fits ? found->get<int>() : 0;
}

StatusFields fields_of(const json& status) {
  StatusFields fields;
  if (status.is_object()) {
    fields.reason = text_field(status, "reason");
    fields.message = text_field(status, "message");
    fields.code = int_field(status, "code");
    const auto details = status.find("details");
    if (details != status.end() && details->is_object()) {
      fields.retry_after = std::chrono::seconds(int_field(*details, "retryAfterSeconds"));
    }
  }
  return fields;
}

ErrorCode code_of(int http_status, std::string_view reason) {
  switch (http_status) {
  case 401:
    return ErrorCode::unauthenticated;
  case 403:
    return ErrorCode::permission_denied;
  case 404:
    return ErrorCode::not_found;
  case 405:
  case 406:
  case 415:
    return ErrorCode::unsupported;
  case 408:
  case 504:
    return ErrorCode::timeout;
  case 409:
    return reason == "AlreadyExists" ? ErrorCode::already_exists : ErrorCode::conflict;
  case 410:
    return ErrorCode::gone;
  case 429:
    return ErrorCode::throttled;
  default: // HTTP statuses are open-ended
    break;
  }
  if (http_status >= 500) {
    return ErrorCode::unavailable;
  }
  return http_status >= 400 ? ErrorCode::invalid_argument : ErrorCode::unsupported;
}

std::string hint_of(ErrorCode code, std::string_view what) {
  if (code == ErrorCode::unauthenticated) {
    return "the API server does not know us: check the token or the client certificate";
  }
  if (code == ErrorCode::permission_denied) {
    return "check the RBAC rules for: " + std::string(what);
  }
  return {};
}

Error make(std::string_view what, const StatusFields& fields, int http_status, bool confidential) {
  Error error;
  error.code = code_of(http_status, fields.reason);
  error.http_status = http_status;
  error.retry_after = fields.retry_after;
  const std::string_view said = confidential ? fields.reason : fields.message;
  error.message.append(what).append(": ").append(said.empty()
                                                     ? "HTTP " + std::to_string(http_status)
                                                     : terminal_text(said, k_message_limit_bytes));
  error.hint = hint_of(error.code, what);
  return error;
}

} // namespace

Error error_from_response(std::string_view what,
                          int http_status,
                          std::chrono::seconds retry_after,
                          std::string_view body,
                          bool confidential) {
  const json status = json_of(body);
  StatusFields fields;
  if (status.is_object() && text_field(status, "kind") == "Status") {
    fields = fields_of(status);
  }
  Error error = make(what, fields, http_status, confidential);
  if (retry_after.count() > 0) {
    error.retry_after = retry_after;
  }
  return error;
}

Error error_from_status(std::string_view what, const json& status, bool confidential) {
  const StatusFields fields = fields_of(status);
  // A Status without a code still says something by its reason.
  const bool expired = fields.reason == "Expired" || fields.reason == "Gone";
  const int http_status = fields.code != 0 ? fields.code : (expired ? 410 : 500);
  return make(what, fields, http_status, confidential);
}

} // namespace rb::kube
