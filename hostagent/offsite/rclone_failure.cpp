#include "offsite/rclone_failure.hpp"

#include "terminal/terminal_text.hpp"

#include "api/artifacts.hpp"
#include "base/process.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace rb::offsite {

namespace {

// https://rclone.org/docs/#exit-code
constexpr int k_directory_not_found = 3;
constexpr int k_file_not_found = 4;
constexpr std::size_t k_words_limit = 300;
constexpr std::size_t k_stamp_length = 20; // "2026/11/22 23:24:13 "

struct Saying {
  std::string_view words; ///< Lower-case.
  ErrorCode code;
};

/// The first that is found decides: what an operator can mend stands before what may pass.
constexpr std::array k_sayings{
    Saying{"didn't find section in config file", ErrorCode::invalid_argument},
    Saying{"couldn't decrypt configuration", ErrorCode::invalid_argument},
    Saying{"couldn't find backend", ErrorCode::invalid_argument},
    Saying{"401 unauthorized", ErrorCode::permission_denied},
    Saying{"403 forbidden", ErrorCode::permission_denied},
    Saying{"accessdenied", ErrorCode::permission_denied},
    Saying{"permission denied", ErrorCode::permission_denied},
    Saying{"507 insufficient storage", ErrorCode::no_space},
    Saying{"insufficient storage", ErrorCode::no_space},
    Saying{"no space left", ErrorCode::no_space},
    Saying{"quota", ErrorCode::no_space},
    Saying{"corrupted on transfer", ErrorCode::corrupt},
    Saying{"500 internal server error", ErrorCode::unavailable},
    Saying{"502 bad gateway", ErrorCode::unavailable},
    Saying{"503 service", ErrorCode::unavailable},
    Saying{"504 gateway", ErrorCode::unavailable},
    Saying{"429 too many", ErrorCode::unavailable},
    Saying{"423 locked", ErrorCode::unavailable},
    Saying{"connection refused", ErrorCode::unavailable},
    Saying{"connection reset", ErrorCode::unavailable},
    Saying{"broken pipe", ErrorCode::unavailable},
    Saying{"no such host", ErrorCode::unavailable},
    Saying{"no route to host", ErrorCode::unavailable},
    Saying{"network is unreachable", ErrorCode::unavailable},
    Saying{"temporary failure in name resolution", ErrorCode::unavailable},
    Saying{"server misbehaving", ErrorCode::unavailable},
    Saying{"timeout", ErrorCode::unavailable},
    Saying{"unexpected eof", ErrorCode::unavailable},
    Saying{": eof", ErrorCode::unavailable},
    Saying{"tls:", ErrorCode::unavailable},
    Saying{"x509:", ErrorCode::unavailable},
    Saying{"directory not found", ErrorCode::not_found},
    Saying{"object not found", ErrorCode::not_found},
};

std::string lower(std::string text) {
  std::ranges::transform(
      text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

/// Without the time that rclone puts before it.
std::string last_words(std::string_view output) {
  const std::string_view text = last_line(output);
  const auto is_stamp = [](std::string_view line) {
    return line.size() > k_stamp_length && line[4] == '/' && line[7] == '/' && line[10] == ' ' &&
           line[13] == ':' && line[19] == ' ';
  };
  return std::string(is_stamp(text) ? text.substr(k_stamp_length) : text);
}

/// "https://user:password@host" -> "https://…@host".
std::string without_user(std::string text) {
  for (std::size_t at = text.find("://"); at != std::string::npos; at = text.find("://", at)) {
    at += 3;
    const std::size_t end = std::min(text.find_first_of("/ \"'", at), text.size());
    const std::size_t sign = text.rfind('@', end);
    if (sign != std::string::npos && sign > at && sign < end) {
      text.replace(at, sign - at, "...");
    }
  }
  return text;
}

std::string words_of(const ProcessResult& result) {
  return api::bounded(terminal_text(without_user(last_words(result.err))), k_words_limit);
}

ErrorCode code_of(const ProcessResult& result) {
  const std::string all = lower(result.err);
  for (const Saying& saying : k_sayings) {
    if (all.find(saying.words) != std::string::npos) {
      return saying.code;
    }
  }
  return result.exit_status == k_directory_not_found || result.exit_status == k_file_not_found
             ? ErrorCode::not_found
             : ErrorCode::io;
}

std::string hint_for(ErrorCode code) {
  if (code == ErrorCode::invalid_argument) {
    return "look at the name of the remote and at rclone.conf";
  }
  if (code == ErrorCode::permission_denied) {
    return "look at user and password in rclone.conf";
  }
  if (code == ErrorCode::no_space) {
    return "free space there, or raise the quota";
  }
  return {};
}

} // namespace

std::optional<Error> rclone_failure(const ProcessResult& result, const std::string& subject) {
  if (result.exit_status == 0) {
    return std::nullopt;
  }
  if (result.timed_out) {
    return Error{ErrorCode::timeout, subject + ": rclone did not end in time", {}};
  }
  if (result.signal != 0) {
    return Error{ErrorCode::io,
                 subject + ": rclone was ended by signal " + std::to_string(result.signal),
                 {}};
  }
  const ErrorCode code = code_of(result);
  const std::string words = words_of(result);
  return Error{code,
               subject + ": rclone: " +
                   (words.empty() ? "exit status " + std::to_string(result.exit_status) : words),
               hint_for(code)};
}

api::Reason reason_of(const Error& error) {
  switch (error.code) {
  case ErrorCode::unavailable:
  case ErrorCode::timeout:
  case ErrorCode::throttled:
    return api::Reason::remote_unreachable;
  case ErrorCode::permission_denied:
  case ErrorCode::unauthenticated:
    return api::Reason::remote_denied;
  case ErrorCode::no_space:
    return api::Reason::remote_full;
  case ErrorCode::corrupt:
    return api::Reason::verification_failed;
  case ErrorCode::cancelled:
    return api::Reason::interrupted;
  case ErrorCode::invalid_argument:
  case ErrorCode::not_found:
  case ErrorCode::already_exists:
  case ErrorCode::io:
  case ErrorCode::no_matching_identity:
  case ErrorCode::unsupported:
  case ErrorCode::conflict:
  case ErrorCode::gone:
  case ErrorCode::busy:
  case ErrorCode::incomplete:
  case ErrorCode::internal:
    return api::Reason::remote_failed;
  }
  return api::Reason::remote_failed;
}

} // namespace rb::offsite
