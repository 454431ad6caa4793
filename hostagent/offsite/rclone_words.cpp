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
#include <iterator>
#include <map>
#include <set>
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
    Saying{"config reconnect", ErrorCode::permission_denied}, // no token, or one that ended
    Saying{"invalid_client", ErrorCode::permission_denied},
    Saying{"unauthorized_client", ErrorCode::permission_denied},
    Saying{"ratelimitexceeded", ErrorCode::unavailable}, // Google calls that a quota, too
    Saying{"507 insufficient storage", ErrorCode::no_space},
    Saying{"insufficient storage", ErrorCode::no_space},
    Saying{"no space left", ErrorCode::no_space},
    Saying{"remaining disk space", ErrorCode::no_space},
    Saying{"quota", ErrorCode::no_space},
    Saying{"cap_exceeded", ErrorCode::no_space},    // B2
    Saying{"statuscode: 507", ErrorCode::no_space}, // MinIO
    Saying{"requesttimetooskewed", ErrorCode::io},  // S3: a clock, whatever the status says
    Saying{"statuscode: 401", ErrorCode::permission_denied}, // S3; to HEAD it gives no other reason
    Saying{"statuscode: 403", ErrorCode::permission_denied},
    Saying{"response 403: ", ErrorCode::permission_denied},       // Azure
    Saying{"(401 bad_auth_token)", ErrorCode::permission_denied}, // B2
    Saying{"statuscode: 5", ErrorCode::unavailable},
    Saying{"response 503: ", ErrorCode::unavailable},
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
    Saying{"is a directory or doesn't exist", ErrorCode::not_found},
};

std::string lower(std::string text) {
  std::ranges::transform(
      text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

/// Azure's answers end with the XML of the reason between lines of dashes.
bool is_frame(std::string_view line) {
  return line.starts_with('<') || line.starts_with("---");
}

/// Without the time that rclone puts before it.
std::string last_words(std::string_view output) {
  std::string_view text = last_line(output);
  while (is_frame(text)) {
    output = output.substr(0, static_cast<std::size_t>(text.data() - output.data()));
    text = last_line(output);
  }
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

/// "https://host/path?sig=…": Azure's SAS, S3's presigned requests and tokens of other services
/// stand behind the question mark. Go takes the password alone out of the URL that it could not
/// reach.
std::string without_queries(std::string text) {
  for (std::size_t at = text.find("://"); at != std::string::npos; at = text.find("://", at + 1)) {
    const std::size_t end = std::min(text.find_first_of(" \"'\t", at), text.size());
    const std::size_t mark = text.find('?', at);
    if (mark < end && mark + 1 < end) {
      text.replace(mark + 1, end - mark - 1, "...");
    }
  }
  return text;
}

std::string words_of(const ProcessResult& result) {
  const std::string words = without_queries(without_user(last_words(result.err)));
  return api::bounded(terminal_text(words), k_words_limit);
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

/// OAuth's refresh token: rclone's advice is for the file of somebody at a terminal.
bool is_of_token(std::string_view said) {
  return said.find("invalid_grant") != std::string_view::npos ||
         said.find("config reconnect") != std::string_view::npos;
}

/// HTTP, S3.
bool is_too_large(std::string_view said) {
  return said.find("413 Request Entity Too Large") != std::string_view::npos ||
         said.find("413 Payload Too Large") != std::string_view::npos ||
         said.find("EntityTooLarge") != std::string_view::npos;
}

std::string hint_for(ErrorCode code, std::string_view said) {
  if (code == ErrorCode::invalid_argument) {
    return "look at the name of the remote and at rclone.conf";
  }
  if (code == ErrorCode::permission_denied && is_of_token(said)) {
    return "the token in rclone.conf counts no more: make a new one (rclone --config ./rclone.conf "
           "config reconnect NAME:) and put the file into the Secret anew; servers that share a "
           "token of Box or Jottacloud take it from each other, and each needs a file of its own "
           "(docs/offsite.md)";
  }
  if (code == ErrorCode::permission_denied) {
    return "look at user and password in rclone.conf";
  }
  if (code == ErrorCode::no_space) {
    return "free space there, or raise the quota";
  }
  if (code == ErrorCode::io && is_too_large(said)) {
    return "the server takes no file of that size: raise its limit (of nginx: "
           "client_max_body_size), or let rclone cut files (a remote of type chunker before it)";
  }
  if (said.find("certificate signed by unknown authority") != std::string_view::npos) {
    return "its certificate is of a CA of your own? give that to rclone (docs/offsite.md)";
  }
  return {};
}

using Section = std::map<std::string, std::string>;

constexpr int k_https = 443;
constexpr int k_http = 80;

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

/// Of "https://user@host:9000/path" or "host:9000"; `usual` where it names none.
int port_of_address(const std::string& address, int usual) {
  const std::size_t scheme = address.find("://");
  std::string host = scheme == std::string::npos ? address : address.substr(scheme + 3);
  host = host.substr(0, host.find('/'));
  host = host.substr(host.rfind('@') + 1);
  const std::size_t colon = host.rfind(':');
  const bool has_port = colon != std::string::npos && host.find(']', colon) == std::string::npos;
  const auto named = has_port ? number_of(host.substr(colon + 1)) : std::nullopt;
  return named.value_or(address.starts_with("http://") ? k_http : usual);
}

/// "23,445"
std::string joined(const std::vector<int>& ports) {
  std::string text;
  for (const int port : ports) {
    text += (text.empty() ? "" : ",") + std::to_string(port);
  }
  return text;
}

std::string value_of(const Section& section, const std::string& key) {
  const auto found = section.find(key);
  return found == section.end() ? std::string() : found->second;
}

int own_port(const Section& section) {
  static const std::map<std::string, int> usual_ports{
      {"sftp", 22}, {"ftp", 21}, {"smb", 445}, {"hdfs", 8020}, {"storj", 7777}};
  if (const auto port = number_of(value_of(section, "port"))) {
    return *port;
  }
  const auto known = usual_ports.find(value_of(section, "type"));
  const int usual = known == usual_ports.end() ? k_https : known->second;
  for (const char* const key : {"url", "endpoint", "namenode", "satellite_address"}) {
    if (const std::string address = value_of(section, key); !address.empty()) {
      return port_of_address(address, usual);
    }
  }
  for (const char* const key : {"host", "auth"}) { // a name or a word, too
    if (const std::string address = value_of(section, key);
        address.find("://") != std::string::npos) {
      return port_of_address(address, usual);
    }
  }
  return usual;
}

/// A list of rclone's: separated by blanks, words with blanks are quoted.
std::vector<std::string> listed(const std::string& text) {
  std::vector<std::string> words;
  bool open = false;
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ' ' && !quoted) {
      open = false;
    } else {
      if (!open) {
        words.emplace_back();
      }
      open = true;
      words.back() += c;
    }
  }
  return words;
}

/// The remotes that this one stands on: `remote` (crypt, alias, ...), `upstreams` of a union, and
/// of a combine, where each has a directory ("DIRECTORY=NAME:PATH"). Not those of this disk.
std::vector<std::string> stands_on(const Section& section) {
  std::vector<std::string> below = listed(value_of(section, "upstreams"));
  if (value_of(section, "type") == "combine") {
    for (std::string& remote : below) {
      remote.erase(0, remote.find('=') + 1);
    }
  }
  below.push_back(value_of(section, "remote"));
  std::erase_if(below,
                [](const std::string& remote) { return remote.find(':') == std::string::npos; });
  return below;
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

std::vector<int> remote_ports(std::string_view rclone_conf, const std::string& remote) {
  const auto sections = sections_of(rclone_conf);
  std::vector<std::string> left{remote};
  std::set<std::string> seen;
  std::set<int> ports;
  while (!left.empty()) {
    const std::string name = left.back().substr(0, left.back().find(':'));
    left.pop_back();
    const auto found = sections.find(name);
    if (found == sections.end() || value_of(found->second, "type").empty()) {
      return {};
    }
    if (!seen.insert(name).second || value_of(found->second, "type") == "local") {
      continue;
    }
    const std::vector<std::string> below = stands_on(found->second);
    if (below.empty()) {
      ports.insert(own_port(found->second));
    }
    left.insert(left.end(), below.begin(), below.end());
  }
  return {ports.begin(), ports.end()};
}

std::string unreachable_hint(const std::vector<int>& ports, const std::vector<int>& let_through) {
  std::vector<int> shut;
  std::ranges::copy_if(ports, std::back_inserter(shut), [&](int port) {
    return std::ranges::find(let_through, port) == let_through.end();
  });
  if (let_through.empty() || (!ports.empty() && shut.empty())) {
    return {};
  }
  if (ports.empty()) {
    return "the network policy lets the ports " + joined(let_through) +
           " through: if the remote's is another one, set networkPolicy.offsitePorts";
  }
  return "the remote is at port " + joined(shut) + ", and the network policy lets only " +
         joined(let_through) +
         " through: helm upgrade ... --reset-then-reuse-values --set "
         "'networkPolicy.offsitePorts={" +
         joined(ports) + "}'";
}

} // namespace rb::offsite
