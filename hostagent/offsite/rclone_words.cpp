#include "offsite/rclone_words.hpp"

#include "terminal/terminal_text.hpp"

#include "api/artifacts.hpp"
#include "base/json_fields.hpp"
#include "base/process.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cctype>

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
    Saying{"unable to decrypt configuration", ErrorCode::invalid_argument},
    Saying{"is it obscured?", ErrorCode::invalid_argument},
    Saying{"failed to read private key file", ErrorCode::invalid_argument},
    Saying{"couldn't parse known_hosts_file", ErrorCode::invalid_argument},
    Saying{"couldn't connect to ssh-agent", ErrorCode::invalid_argument},
    Saying{"nocredentialproviders", ErrorCode::invalid_argument}, // S3, rclone before 1.68
    Saying{"no ec2 imds role found", ErrorCode::invalid_argument},
    Saying{"knownhosts: key", ErrorCode::io},
    Saying{"restore first", ErrorCode::io},      // Glacier
    Saying{"in archive tier", ErrorCode::io},    // Azure
    Saying{"invalidobjectstate", ErrorCode::io}, // S3: a 403
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
    Saying{"insufficient_space", ErrorCode::no_space},     // Dropbox
    Saying{"storage_limit_exceeded", ErrorCode::no_space}, // Box
    Saying{"the disk was full", ErrorCode::no_space},      // SMB
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
    Saying{"too_many_requests", ErrorCode::unavailable}, // Dropbox
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

/// Azure's answers end with the XML of the reason between lines of dashes, some of S3's with an
/// indented line for programmers.
bool is_frame(std::string_view line) {
  return line.starts_with('<') || line.starts_with("---") || line.starts_with('\t');
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

bool is_port(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

/// "https://user:password@host" -> "https://...@host". A password with a '/', '?' or '#' in it that
/// is not percent-encoded ends what Go takes for the host, and its "@" comes later or not at all.
std::string without_user(std::string text) {
  for (std::size_t at = text.find("://"); at != std::string::npos; at = text.find("://", at)) {
    at += 3;
    const std::size_t end = std::min(text.find_first_of(" \"'", at), text.size());
    const std::size_t host_end = std::min(text.find_first_of("/?#", at), end);
    const std::string_view host = std::string_view(text).substr(at, host_end - at);
    const std::size_t colon = host.rfind(':');
    const bool cut = host.find_first_of("@]") == std::string_view::npos &&
                     colon != std::string_view::npos && !is_port(host.substr(colon + 1));
    const std::size_t sign = std::string_view(text).substr(0, cut ? end : host_end).rfind('@');
    if (sign != std::string::npos && sign > at) {
      text.replace(at, sign - at, "...");
    } else if (cut) {
      text.replace(at, end - at, "...");
    }
  }
  return text;
}

/// What Go quotes of a URL that it cannot read: a piece of the password, where that is why.
std::string without_quoted(std::string text, std::string_view before) {
  for (std::size_t at = text.find(before); at != std::string::npos; at = text.find(before, at)) {
    at += before.size();
    text.replace(at, std::min(text.find('"', at), text.size()) - at, "...");
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
  std::string words = without_queries(without_user(last_words(result.err)));
  for (const std::string_view before : {"invalid port \"", "invalid URL escape \""}) {
    words = without_quoted(std::move(words), before);
  }
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

struct Advice {
  std::string_view words; ///< Lower-case.
  std::string_view hint;
};

constexpr std::string_view k_encrypted =
    "it is encrypted: the Secret needs one that is not (umask 077; rclone config show "
    ">rclone.conf), and on a machine of your own RCLONE_CONFIG_PASS opens it";
constexpr std::string_view k_file_of_pod =
    "is it there? a pod has the files of the Secret alone, in /etc/railiance-offsite: put it into "
    "the Secret, too, and say in rclone.conf that it is there (docs/offsite.md)";
constexpr std::string_view k_archived =
    "an archive class gives nothing back at once: take another storage class, or let the rule of "
    "the bucket move only what is older than the sets on the disk; offsite.rereadSeconds=0 ends "
    "the reading back of what is there, and before a fetch the provider must restore the files";

constexpr std::array k_advice{
    Advice{"unable to decrypt configuration", k_encrypted},
    Advice{"couldn't decrypt configuration", k_encrypted},
    Advice{"is it obscured?",
           "rclone.conf has a password as it is typed: it wants what `rclone obscure` makes of it, "
           "as `rclone config` does"},
    Advice{"failed to read private key file", k_file_of_pod},
    Advice{"couldn't parse known_hosts_file", k_file_of_pod},
    Advice{"couldn't connect to ssh-agent",
           "the section of rclone.conf has neither pass nor key_file, and there is no SSH agent "
           "(docs/offsite.md)"},
    Advice{"knownhosts: key",
           "the server shows another key than known_hosts has: is it that server? compare what "
           "ssh-keyscan -p PORT HOST prints with what its provider says"},
    Advice{"ssh_fx_failure",
           "an SFTP server says no more than that, of a full disk or a quota that is used up, too: "
           "is there room?"},
    Advice{"restore first", k_archived},
    Advice{"in archive tier", k_archived},
    Advice{"invalidobjectstate", k_archived},
    Advice{"certificate signed by unknown authority",
           "its certificate is of a CA of your own? give that to rclone (docs/offsite.md)"},
};

std::string hint_for(ErrorCode code, std::string_view said) {
  const std::string all = lower(std::string(said));
  for (const Advice& advice : k_advice) {
    if (all.find(advice.words) != std::string::npos) {
      return std::string(advice.hint);
    }
  }
  const bool no_section = all.find("didn't find section") != std::string::npos;
  if (no_section && all.find("not found - using defaults") != std::string::npos) {
    return "there is no rclone.conf: in a pod it is the key of that name in the Secret that "
           "offsite.existingSecret names, elsewhere --rclone-config says where it is";
  }
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
    return std::string(k_look_at_password);
  }
  if (code == ErrorCode::no_space) {
    return "free space there, or raise the quota";
  }
  if (code == ErrorCode::io && is_too_large(said)) {
    return "the server takes no file of that size: raise its limit (of nginx: "
           "client_max_body_size), or let rclone cut files (a remote of type chunker before it)";
  }
  return {};
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

} // namespace rb::offsite
