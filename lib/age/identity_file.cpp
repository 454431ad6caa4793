#include "age/identity.hpp"
#include "age/openssh_key.hpp"
#include "age/typed_text.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

namespace rb::age {

namespace {

constexpr std::string_view k_pem_begin = "-----BEGIN ";
constexpr std::string_view k_pem_end = "-----END ";
constexpr std::string_view k_other_key = "private key in PEM";

std::string at_line(std::size_t number) {
  return "line " + std::to_string(number);
}

/// Why the line is passed over, or nothing when it must be an identity of ours.
std::optional<std::string_view> skipped_kind(std::string_view line) {
  if (HybridIdentity::is_one(line) || line.starts_with("AGE-SECRET-KEY-1") ||
      !line.starts_with("AGE-")) {
    return std::nullopt;
  }
  return line.starts_with("AGE-PLUGIN-") ? "plugin identity" : "identity of an unknown kind";
}

Error is_encrypted() {
  return {ErrorCode::unsupported,
          "the identity file is itself encrypted",
          "give it to railiance-restore with -i, which asks for the passphrase"};
}

Error bad_line(std::size_t number, const Error& why, std::string_view line) {
  const bool recipient = line.starts_with("age1") || line.starts_with("ssh-");
  return {ErrorCode::invalid_argument,
          at_line(number) + ": " +
              (recipient ? "a recipient where an identity (AGE-SECRET-KEY-1...) is expected"
                         : why.message),
          "an identity file holds one identity a line and nothing beside it, or a private key "
          "of OpenSSH"};
}

/// Flux and its like have the key in a Secret, and `kubectl get secret sops-age -o yaml` is how
/// many keep it.
bool is_kubernetes_secret(std::string_view text) {
  return std::ranges::any_of(
      std::array{"kind: Secret", "\"kind\": \"Secret\"", "\"kind\":\"Secret\""},
      [&](const char* mark) { return text.find(mark) != std::string_view::npos; });
}

/// What the keys are called in there differs: age.agekey for Flux, keys.txt for KSOPS, key.txt for
/// helm-secrets. Their base64 is the longest word, and one with stringData has them as they are.
Error secret_itself(std::string_view text) {
  const bool plain = holds_key(text, "AGE-SECRET-KEY-");
  return {ErrorCode::invalid_argument,
          "a Kubernetes Secret, and not the keys file that is in it",
          std::string("take that out: grep -oE ") +
              (plain ? "'AGE-SECRET-KEY-[0-9A-Z-]+' FILE"
                     : "'[A-Za-z0-9+/]{96,}=*' FILE | head -n1 | base64 -d") +
              " >keys.txt, and give keys.txt"};
}

/// Line by line; keeps what was found so far.
class Parser {
public:
  explicit Parser(IdentityLayout layout) : m_layout(layout) {}

  Status take(std::string_view line) {
    ++m_number;
    if (m_pem_line != 0) {
      return take_pem(line);
    }
    if (line.empty() || line.front() == '#') {
      return {};
    }
    if (line.starts_with(k_pem_begin)) {
      return begin_pem(line);
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
    if (m_pem_line != 0 && m_pem_kind != Pem::other) { // its end never came
      RB_TRY(take_ssh());
    }
    if (!m_file.identities.empty()) {
      return std::move(m_file);
    }
    if (!m_file.warnings.empty()) {
      return Error{ErrorCode::unsupported,
                   "no identity that can be used: " + m_file.warnings.front(),
                   "give the file with AGE-SECRET-KEY-1..."};
    }
    return Error{ErrorCode::not_found,
                 "no identity in it",
                 "give the file with AGE-SECRET-KEY-1..., as age-keygen writes it"};
  }

private:
  enum class Pem { openssh, pkcs8, other };

  Status begin_pem(std::string_view line) {
    if (line.find("AGE ENCRYPTED FILE") != std::string_view::npos) {
      return is_encrypted();
    }
    m_pem_line = m_number;
    m_pem_kind = line == k_openssh_begin ? Pem::openssh
                 : line == k_pkcs8_begin ? Pem::pkcs8
                                         : Pem::other;
    if (m_pem_kind == Pem::other) {
      skip(k_other_key, m_pem_line);
    } else {
      m_pem = SecretBuffer(k_openssh_key_limit_bytes);
      keep_pem(line);
    }
    return {};
  }

  Status take_pem(std::string_view line) {
    if (m_pem_kind != Pem::other) {
      keep_pem(line);
    }
    if (!line.starts_with(k_pem_end)) {
      return {};
    }
    const Status taken = m_pem_kind != Pem::other ? take_ssh() : Status{};
    m_pem_line = 0;
    return taken;
  }

  /// Up to the limit and one line more, which is then refused.
  void keep_pem(std::string_view line) {
    if (m_pem.size() <= k_openssh_key_limit_bytes) {
      m_pem.append(line);
      m_pem.append('\n');
    }
  }

  /// Whoever has it also has the key of age that ssh-to-age makes of it.
  Status take_ssh() {
    auto identity = SshIdentity::parse(m_pem.text());
    m_pem = SecretBuffer();
    if (!identity && m_pem_kind == Pem::pkcs8) { // as certificates have it, most often
      skip(k_other_key, m_pem_line);
      return {};
    }
    if (!identity) {
      return keep(std::move(identity).error(), m_pem_line, {});
    }
    RB_TRY_ASSIGN(X25519Identity of_age, identity->x25519());
    m_file.identities.emplace_back(std::move(*identity));
    m_file.identities.emplace_back(std::move(of_age));
    return {};
  }

  Status take_identity(std::string_view text) {
    if (const auto kind = skipped_kind(text)) {
      skip(*kind, m_number);
      return {};
    }
    return keep(Identity::parse(text), m_number, text);
  }

  Status keep(Result<Identity> identity, std::size_t number, std::string_view text) {
    if (identity) {
      m_file.identities.push_back(std::move(*identity));
      return {};
    }
    if (identity.error().code != ErrorCode::unsupported) {
      return bad_line(number, identity.error(), text);
    }
    constexpr std::string_view k_subject = "identity: ";
    std::string why = identity.error().text();
    why.erase(0, why.starts_with(k_subject) ? k_subject.size() : 0);
    m_file.warnings.push_back(at_line(number) + " skipped: " + why);
    return {};
  }

  void skip(std::string_view kind, std::size_t number) {
    m_file.warnings.push_back(at_line(number) + ": " + std::string(kind) +
                              " skipped: not supported");
  }

  IdentityLayout m_layout;
  IdentityFile m_file;
  std::size_t m_number = 0;
  std::size_t m_pem_line = 0; ///< Where the block begins that we are in; 0: in none.
  Pem m_pem_kind = Pem::other;
  SecretBuffer m_pem;
};

Result<IdentityFile> parse_lines(std::string_view text, IdentityLayout layout) {
  Parser parser(layout);
  while (!text.empty()) {
    const std::size_t newline = text.find('\n');
    const std::string_view line = trimmed(text.substr(0, newline));
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
    RB_TRY(parser.take(line));
  }
  return parser.finish();
}

} // namespace

bool is_encrypted_identity_file(std::string_view text) {
  return text.starts_with("age-encryption") ||
         trimmed(without_byte_order_mark(text)).starts_with("-----BEGIN AGE");
}

Result<IdentityFile> parse_identity_file(std::string_view text, IdentityLayout layout) {
  if (is_encrypted_identity_file(text)) {
    return is_encrypted();
  }
  if (is_utf16(text)) {
    return Error{ErrorCode::invalid_argument,
                 "it is UTF-16, as PowerShell's > writes it",
                 "make it UTF-8, as age and SOPS want it: iconv -f UTF-16 -t UTF-8 FILE"};
  }
  auto file = parse_lines(without_byte_order_mark(text), layout);
  if (!file && is_kubernetes_secret(text)) {
    return secret_itself(text);
  }
  return file;
}

} // namespace rb::age
