#include "base/error.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace rb {

namespace {

struct Row {
  ErrorCode code;
  std::string_view word;
  ExitCode exit_code;
};

/// In the order of the enumeration.
constexpr std::array<Row, 19> k_rows{{
    {ErrorCode::invalid_argument, "invalid_argument", ExitCode::failed},
    {ErrorCode::not_found, "not_found", ExitCode::failed},
    {ErrorCode::already_exists, "already_exists", ExitCode::failed},
    {ErrorCode::permission_denied, "permission_denied", ExitCode::failed},
    {ErrorCode::no_space, "no_space", ExitCode::failed},
    {ErrorCode::io, "io", ExitCode::failed},
    {ErrorCode::corrupt, "corrupt", ExitCode::damaged},
    {ErrorCode::no_matching_identity, "no_matching_identity", ExitCode::no_identity},
    {ErrorCode::unsupported, "unsupported", ExitCode::failed},
    {ErrorCode::conflict, "conflict", ExitCode::failed},
    {ErrorCode::gone, "gone", ExitCode::failed},
    {ErrorCode::unauthenticated, "unauthenticated", ExitCode::failed},
    {ErrorCode::throttled, "throttled", ExitCode::unreachable},
    {ErrorCode::unavailable, "unavailable", ExitCode::unreachable},
    {ErrorCode::timeout, "timeout", ExitCode::deadline_passed},
    {ErrorCode::cancelled, "cancelled", ExitCode::failed},
    {ErrorCode::busy, "busy", ExitCode::busy},
    {ErrorCode::incomplete, "incomplete", ExitCode::incomplete},
    {ErrorCode::internal, "internal", ExitCode::failed},
}};

constexpr bool is_in_order() {
  std::size_t place = 0;
  return std::ranges::all_of(
      k_rows, [&](const Row& row) { return static_cast<std::size_t>(row.code) == place++; });
}
static_assert(is_in_order() && k_rows.back().code == ErrorCode::internal);

const Row& row_of(ErrorCode code) {
  return k_rows.at(static_cast<std::size_t>(code));
}

} // namespace

std::string_view to_string(ErrorCode code) {
  return row_of(code).word;
}

ExitCode exit_code_for(ErrorCode code) {
  return row_of(code).exit_code;
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
