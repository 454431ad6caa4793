// What can go wrong, in a form that callers can act on and operators can read, and the exit code
// that a command then ends with.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace rb::api {
enum class Reason : int; // the typed reasons of the API; its words are in api/reason.hpp
} // namespace rb::api

namespace rb {

/// The kinds of failure that callers tell apart. The list is closed: switches name every case.
enum class ErrorCode {
  invalid_argument,     ///< The caller or the operator gave something unusable.
  not_found,            ///< A file, an object or a program is not there.
  already_exists,       ///< A name is taken and will not be replaced.
  permission_denied,    ///< The file system or the API refused us.
  no_space,             ///< ENOSPC or EDQUOT.
  io,                   ///< Any other failure of a read, write, sync or rename.
  corrupt,              ///< Data that does not have the form or the digest that it must have.
  no_matching_identity, ///< No private key given opens the file.
  unsupported,          ///< Well-formed, but of a kind that we do not handle.
  conflict,             ///< The API object changed since it was read (409).
  gone,                 ///< The resource version is too old (410): list again.
  unauthenticated,      ///< 401.
  throttled,            ///< 429.
  unavailable,          ///< The other side cannot be reached or answers 5xx.
  timeout,              ///< A deadline passed.
  cancelled,            ///< We were told to stop.
  busy,                 ///< Somebody else holds the lock.
  incomplete,           ///< Done, but a part is missing.
  internal,             ///< A bug, or a library that broke its word.
};

/// The name of `code` as it appears in logs and JSON ("no_space").
[[nodiscard]] std::string_view to_string(ErrorCode code);

/// One failure. `message` is lower-case without a full stop, the subject first; `hint` says what
/// to do next and may be empty. Neither ever holds key material or the contents of a Secret.
struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string message;
  std::string hint;
  int system_errno = 0;                ///< errno, where a system call failed, else 0.
  int http_status = 0;                 ///< HTTP status, where a server answered, else 0.
  std::chrono::seconds retry_after{0}; ///< What the server asked us to wait (429, 503), else 0.
  /// Why, in the words of the API, where the step that failed knows it. Once given it stays: who
  /// passes the error on need not know it.
  std::optional<api::Reason> reason = std::nullopt;

  /// The same error with `context` and ": " before its message.
  [[nodiscard]] Error within(std::string_view context) &&;

  /// The same error with `why` as its reason, in place of any that it had.
  [[nodiscard]] Error because(api::Reason why) &&;

  /// "message; hint", as one line; the message alone where there is no hint.
  [[nodiscard]] std::string text() const;
};

/// `message: strerror(errno_value)`, with the code that fits (ENOSPC and EDQUOT -> no_space,
/// ENOENT -> not_found, EACCES, EPERM and EROFS -> permission_denied, EEXIST -> already_exists,
/// everything else -> io).
[[nodiscard]] Error system_error(int errno_value, std::string_view message);

/// The exit codes of both commands; documented in README.md and in --help.
enum class ExitCode : int {
  done = 0,
  failed = 1,
  usage = 2,
  incomplete = 3, ///< Some artifact is missing.
  nothing_to_restore = 4,
  no_identity = 5, ///< No identity opens the file, or the identity file cannot be read.
  damaged = 6,     ///< Damaged or tampered with.
  busy = 7,
  unreachable = 8, ///< The cluster or the agent cannot be reached.
  deadline_passed = 9,
};

/// The exit code that a command ends with when `code` is what stopped it.
[[nodiscard]] ExitCode exit_code_for(ErrorCode code);

} // namespace rb
