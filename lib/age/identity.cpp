#include "age/identity.hpp"

#include "age/bech32.hpp"
#include "age/primitives.hpp"

#include <algorithm>
#include <optional>
#include <string>

namespace rb::age {

namespace {

constexpr std::string_view k_recipient_prefix = "age";
constexpr std::string_view k_recipient_hint =
    "give an X25519 recipient (age1...), as age-keygen -y prints it";

Error unsupported_recipient(std::string_view kind) {
  return {ErrorCode::unsupported,
          "recipient: " + std::string(kind) + " is not supported",
          std::string(k_recipient_hint)};
}

Error malformed_recipient(std::string_view what) {
  return {ErrorCode::invalid_argument,
          "recipient: malformed: " + std::string(what),
          std::string(k_recipient_hint)};
}

} // namespace

Result<Recipient> Recipient::parse(std::string_view text) {
  if (!text.starts_with("ssh-") && text.find_first_of(" \t\r\n") != std::string_view::npos) {
    return malformed_recipient("white space within it: a comma is missing between two recipients");
  }
  if (text.starts_with("age1pq1")) {
    return unsupported_recipient("the post-quantum kind age1pq1");
  }
  if (text.starts_with("age1") && std::count(text.begin(), text.end(), '1') > 1) {
    return unsupported_recipient("a plugin or hardware key");
  }
  if (text.starts_with("ssh-")) {
    return unsupported_recipient("an ssh key");
  }
  if (text.starts_with("scrypt")) {
    return unsupported_recipient("a passphrase (scrypt)");
  }
  if (text.starts_with("AGE-SECRET-KEY-") || text.starts_with("AGE-PLUGIN-")) {
    return malformed_recipient("a private key was given instead of a public one");
  }
  auto decoded = bech32::decode(text);
  if (!decoded) {
    return malformed_recipient(decoded.error().message);
  }
  if (decoded->prefix != k_recipient_prefix) {
    return malformed_recipient("does not begin with age1");
  }
  PublicKey key{};
  if (decoded->data.size() != key.size()) {
    return malformed_recipient("not 32 bytes long");
  }
  std::copy_n(decoded->data.data(), key.size(), key.begin());
  return Recipient(key);
}

std::string Recipient::text() const {
  return std::string(bech32::encode(k_recipient_prefix, m_key).text());
}

namespace {

constexpr std::string_view k_identity_prefix = "AGE-SECRET-KEY-";
constexpr std::size_t k_key_bytes = 32;

Error malformed_identity(std::string_view what) {
  return {ErrorCode::invalid_argument, "identity: malformed: " + std::string(what), {}};
}

Error unsupported_identity(std::string_view kind) {
  return {ErrorCode::unsupported, "identity: " + std::string(kind) + " is not supported", {}};
}

} // namespace

Result<Identity> Identity::from_secret(SecretBytes secret) {
  RB_TRY_ASSIGN(const PublicKey key, x25519_public_key(secret.view()));
  return Identity(std::move(secret), Recipient(key));
}

Result<Identity> Identity::parse(std::string_view text) {
  if (text.starts_with("AGE-SECRET-KEY-PQ-1")) {
    return unsupported_identity("a post-quantum key");
  }
  if (text.starts_with("AGE-PLUGIN-")) {
    return unsupported_identity("a plugin key");
  }
  auto decoded = bech32::decode(text);
  if (!decoded) {
    return malformed_identity(decoded.error().message);
  }
  if (decoded->prefix != k_identity_prefix) {
    return malformed_identity("does not begin with AGE-SECRET-KEY-1");
  }
  if (decoded->data.size() != k_key_bytes) {
    return malformed_identity("not 32 bytes long");
  }
  return from_secret(std::move(decoded->data));
}

Result<Identity> Identity::generate() {
  SecretBytes secret(k_key_bytes);
  RB_TRY(fill_random(secret.span()));
  return from_secret(std::move(secret));
}

SecretBytes Identity::text() const {
  SecretBytes text = bech32::encode("age-secret-key-", m_secret.view());
  for (std::uint8_t& c : text.span()) {
    if (c >= 'a' && c <= 'z') {
      c = static_cast<std::uint8_t>(c - 'a' + 'A');
    }
  }
  return text;
}

namespace {

constexpr std::string_view k_pem_begin = "-----BEGIN ";
constexpr std::string_view k_pem_end = "-----END ";

std::string at_line(std::size_t number) {
  return "line " + std::to_string(number);
}

/// Why the line is passed over, or nothing when it must be an identity of ours.
std::optional<std::string_view> skipped_kind(std::string_view line) {
  if (line.starts_with("AGE-SECRET-KEY-PQ-1")) {
    return "post-quantum identity";
  }
  if (line.starts_with("AGE-PLUGIN-")) {
    return "plugin identity";
  }
  if (line.starts_with("AGE-") && !line.starts_with("AGE-SECRET-KEY-1")) {
    return "identity of an unknown kind";
  }
  return std::nullopt;
}

Error is_encrypted() {
  return {ErrorCode::unsupported,
          "the identity file is itself encrypted",
          "give it to railiance-restore with -i, which asks for the passphrase"};
}

Error bad_line(std::size_t number, const Error& why, std::string_view line) {
  const bool recipient = line.starts_with("age1");
  return {ErrorCode::invalid_argument,
          at_line(number) + ": " +
              (recipient ? "a recipient where an identity (AGE-SECRET-KEY-1...) is expected"
                         : why.message),
          "an identity file holds one identity a line, without blanks around it"};
}

/// Line by line; keeps what was found so far.
class Parser {
public:
  explicit Parser(IdentityLayout layout) : m_layout(layout) {}

  Status take(std::string_view line) {
    ++m_number;
    if (m_in_pem) {
      m_in_pem = !line.starts_with(k_pem_end);
      return {};
    }
    if (line.empty() || line.front() == '#') {
      return {};
    }
    if (line.starts_with(k_pem_begin)) {
      if (line.find("AGE ENCRYPTED FILE") != std::string_view::npos) {
        return is_encrypted();
      }
      m_in_pem = true;
      skip("private key in PEM");
      return {};
    }
    if (m_layout == IdentityLayout::lines) {
      return take_identity(line);
    }
    constexpr std::string_view k_blanks = " \t\v\f\r";
    for (;;) {
      line.remove_prefix(std::min(line.find_first_not_of(k_blanks), line.size()));
      if (line.empty()) {
        return {};
      }
      const std::size_t end = std::min(line.find_first_of(k_blanks), line.size());
      RB_TRY(take_identity(line.substr(0, end)));
      line.remove_prefix(end);
    }
  }

  Result<IdentityFile> finish() {
    if (!m_file.identities.empty()) {
      return std::move(m_file);
    }
    if (!m_file.warnings.empty()) {
      return Error{ErrorCode::unsupported,
                   "no X25519 identity: " + m_file.warnings.front(),
                   "give the file with AGE-SECRET-KEY-1..."};
    }
    return Error{ErrorCode::not_found,
                 "no identity in it",
                 "give the file with AGE-SECRET-KEY-1..., as age-keygen writes it"};
  }

private:
  Status take_identity(std::string_view text) {
    if (const auto kind = skipped_kind(text)) {
      skip(*kind);
      return {};
    }
    auto identity = Identity::parse(text);
    if (!identity) {
      return bad_line(m_number, identity.error(), text);
    }
    m_file.identities.push_back(std::move(*identity));
    return {};
  }

  void skip(std::string_view kind) {
    m_file.warnings.push_back(at_line(m_number) + ": " + std::string(kind) +
                              " skipped: not supported");
  }

  IdentityLayout m_layout;
  IdentityFile m_file;
  std::size_t m_number = 0;
  bool m_in_pem = false;
};

} // namespace

bool is_encrypted_identity_file(std::string_view text) {
  return text.starts_with("age-encryption") || text.starts_with("-----BEGIN AGE");
}

Result<IdentityFile> parse_identity_file(std::string_view text, IdentityLayout layout) {
  if (is_encrypted_identity_file(text)) {
    return is_encrypted();
  }
  Parser parser(layout);
  while (!text.empty()) {
    const std::size_t newline = text.find('\n');
    std::string_view line = text.substr(0, newline);
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    RB_TRY(parser.take(line));
  }
  return parser.finish();
}

} // namespace rb::age
