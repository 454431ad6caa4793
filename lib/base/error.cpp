#include "base/error.hpp"

#include <cerrno>
#include <system_error>

namespace rb {

std::string_view to_string(ErrorCode code) {
  switch (code) {
  case ErrorCode::invalid_argument:
    return "invalid_argument";
  case ErrorCode::not_found:
    return "not_found";
  case ErrorCode::already_exists:
    return "already_exists";
  case ErrorCode::permission_denied:
    return "permission_denied";
  case ErrorCode::no_space:
    return "no_space";
  case ErrorCode::io:
    return "io";
  case ErrorCode::corrupt:
    return "corrupt";
  case ErrorCode::no_matching_identity:
    return "no_matching_identity";
  case ErrorCode::unsupported:
    return "unsupported";
  case ErrorCode::conflict:
    return "conflict";
  case ErrorCode::gone:
    return "gone";
  case ErrorCode::unauthenticated:
    return "unauthenticated";
  case ErrorCode::throttled:
    return "throttled";
  case ErrorCode::unavailable:
    return "unavailable";
  case ErrorCode::timeout:
    return "timeout";
  case ErrorCode::cancelled:
    return "cancelled";
  case ErrorCode::busy:
    return "busy";
  case ErrorCode::incomplete:
    return "incomplete";
  case ErrorCode::internal:
    return "internal";
  }
  return "internal";
}

Error Error::within(std::string_view context) && {
  std::string joined;
  joined.reserve(context.size() + 2 + message.size());
  joined.append(context).append(": ").append(message);
  message = std::move(joined);
  return std::move(*this);
}

Error Error::because(api::Reason why) && {
  reason = why;
  return std::move(*this);
}

std::string Error::text() const {
  return hint.empty() ? message : message + "; " + hint;
}

namespace {

ErrorCode code_of(int errno_value) {
  switch (errno_value) {
  case ENOSPC:
  case EDQUOT:
    return ErrorCode::no_space;
  case ENOENT:
    return ErrorCode::not_found;
  case EACCES:
  case EPERM:
  case EROFS:
    return ErrorCode::permission_denied;
  case EEXIST:
    return ErrorCode::already_exists;
  default: // errno values are open-ended
    return ErrorCode::io;
  }
}

std::string lower_first(std::string text) {
  if (!text.empty() && text.front() >= 'A' && text.front() <= 'Z') {
    text.front() = static_cast<char>(text.front() - 'A' + 'a');
  }
  return text;
}

} // namespace

Error system_error(int errno_value, std::string_view message) {
  Error error;
  error.code = code_of(errno_value);
  error.system_errno = errno_value;
  error.message.append(message).append(": ").append(
      lower_first(std::generic_category().message(errno_value)));
  return error;
}

} // namespace rb
