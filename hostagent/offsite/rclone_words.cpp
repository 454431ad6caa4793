#include "offsite/rclone_words.hpp"

#include "terminal/terminal_text.hpp"

#include "api/artifacts.hpp"
#include "base/json_fields.hpp"
#include "base/process.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <map>
#include <sstream>

namespace rb::offsite {

namespace {

constexpr std::size_t k_hex_digits = 64;

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
    Saying{"ssh: unable to authenticate", ErrorCode::permission_denied}, // SFTP
    Saying{"login: 530", ErrorCode::permission_denied},                  // FTP
    Saying{"logon is invalid", ErrorCode::permission_denied},            // SMB
    Saying{"invalidaccesskeyid", ErrorCode::permission_denied},          // S3
    Saying{"signaturedoesnotmatch", ErrorCode::permission_denied},       // S3
    Saying{"invalid_grant", ErrorCode::permission_denied},               // OAuth
    Saying{"ratelimitexceeded", ErrorCode::unavailable}, // Google calls that a quota, too
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

std::string hint_for(ErrorCode code, std::string_view said) {
  if (code == ErrorCode::invalid_argument) {
    return "look at the name of the remote and at rclone.conf";
  }
  if (code == ErrorCode::permission_denied) {
    return "look at user and password in rclone.conf";
  }
  if (code == ErrorCode::no_space) {
    return "free space there, or raise the quota";
  }
  if (said.find("certificate signed by unknown authority") != std::string_view::npos) {
    return "its certificate is of a CA of your own? give that to rclone (docs/offsite.md)";
  }
  return {};
}

using Section = std::map<std::string, std::string>;

constexpr int k_https = 443;
constexpr int k_http = 80;
constexpr int k_most_layers = 8; ///< Of remotes that stand on another one.

std::string trimmed(const std::string& text) {
  const std::size_t from = text.find_first_not_of(" \t\r");
  const std::size_t to = text.find_last_not_of(" \t\r");
  return from == std::string::npos ? std::string() : text.substr(from, to - from + 1);
}

std::map<std::string, Section> sections_of(std::string_view text) {
  std::map<std::string, Section> sections;
  std::istringstream stream{std::string(text)};
  std::string name;
  for (std::string raw; std::getline(stream, raw);) {
    const std::string line = trimmed(raw);
    const std::size_t equals = line.find('=');
    if (line.starts_with('[') && line.ends_with(']')) {
      name = line.substr(1, line.size() - 2);
    } else if (!line.starts_with('#') && !line.starts_with(';') && equals != std::string::npos) {
      sections[name][trimmed(line.substr(0, equals))] = trimmed(line.substr(equals + 1));
    }
  }
  return sections;
}

std::optional<int> number_of(const std::string& text) {
  int number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, failed] = std::from_chars(text.data(), end, number);
  const bool is_port = failed == std::errc{} && stop == end && number > 0 && number <= 65535;
  return is_port ? std::optional(number) : std::nullopt;
}

/// Of "https://user@host:9000/path" or "host:9000".
int port_of_address(const std::string& address) {
  const std::size_t scheme = address.find("://");
  std::string host = scheme == std::string::npos ? address : address.substr(scheme + 3);
  host = host.substr(0, host.find('/'));
  host = host.substr(host.rfind('@') + 1);
  const std::size_t colon = host.rfind(':');
  const bool has_port = colon != std::string::npos && host.find(']', colon) == std::string::npos;
  const auto named = has_port ? number_of(host.substr(colon + 1)) : std::nullopt;
  return named.value_or(address.starts_with("http://") ? k_http : k_https);
}

std::string value_of(const Section& section, const std::string& key) {
  const auto found = section.find(key);
  return found == section.end() ? std::string() : found->second;
}

std::optional<int> own_port(const Section& section) {
  if (const auto port = number_of(value_of(section, "port"))) {
    return port;
  }
  for (const char* const key : {"url", "endpoint", "host"}) {
    const std::string address = value_of(section, key);
    const bool is_address =
        key != std::string_view("host") || address.find("://") != std::string::npos;
    if (!address.empty() && is_address) {
      return port_of_address(address);
    }
  }
  static const std::map<std::string, int> usual{{"sftp", 22}, {"ftp", 21}, {"smb", 445}};
  const auto known = usual.find(value_of(section, "type"));
  return known == usual.end() ? k_https : known->second;
}

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
               hint_for(code, result.err)};
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

std::optional<int> remote_port(std::string_view rclone_conf, const std::string& remote) {
  const auto sections = sections_of(rclone_conf);
  std::string name = remote.substr(0, remote.find(':'));
  for (int layer = 0; layer < k_most_layers; ++layer) {
    const auto found = sections.find(name);
    if (found == sections.end() || value_of(found->second, "type").empty() ||
        value_of(found->second, "type") == "local") {
      return std::nullopt;
    }
    const std::string below = value_of(found->second, "remote");
    if (below.find(':') == std::string::npos) {
      return own_port(found->second);
    }
    name = below.substr(0, below.find(':'));
  }
  return std::nullopt;
}

std::string unreachable_hint(std::optional<int> port, const std::vector<int>& let_through) {
  if (let_through.empty() || (port && std::ranges::find(let_through, *port) != let_through.end())) {
    return {};
  }
  std::string ports;
  for (const int one : let_through) {
    ports += (ports.empty() ? "" : ",") + std::to_string(one);
  }
  if (!port) {
    return "the network policy lets the ports " + ports +
           " through: if the remote's is another one, set networkPolicy.offsitePorts";
  }
  return "the remote is at port " + std::to_string(*port) + ", and the network policy lets only " +
         ports +
         " through: helm upgrade ... --reset-then-reuse-values --set "
         "'networkPolicy.offsitePorts={" +
         std::to_string(*port) + "}'";
}

} // namespace rb::offsite
