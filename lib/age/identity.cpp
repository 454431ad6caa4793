#include "age/identity.hpp"

#include "age/kem.hpp"
#include "age/key_text.hpp"
#include "age/openssh_key.hpp"
#include "base/digest.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <string>

namespace rb::age {

namespace {

template <typename Kind> Result<Recipient> recipient_of(std::string_view text) {
  RB_TRY_ASSIGN(auto recipient, Kind::parse(text));
  return Recipient(std::move(recipient));
}

/// What a text that should be one recipient is when it comes from a list that was written
/// otherwise than SOPS takes it; empty: nothing of the kind.
std::string_view wrong_list(std::string_view text) {
  const bool blank = text.find_first_of(" \t\r\n") != std::string_view::npos;
  if (text.starts_with('#') || text.find(" #") != std::string_view::npos) {
    return "within a string (after >, |, or in quotes) a comment is a part of it: put comments "
           "elsewhere, or write a list";
  }
  if (text.find("age1", 1) != std::string_view::npos ||
      text.find("ssh-", 1) != std::string_view::npos) {
    return blank ? "white space within it: a comma is missing between two recipients"
                 : "a comma is missing between two recipients";
  }
  return blank ? "white space within it" : "";
}

template <typename Kind> Result<Identity> identity_of(std::string_view text) {
  RB_TRY_ASSIGN(auto identity, Kind::parse(text));
  return Identity(std::move(identity));
}

} // namespace

Result<Recipient> Recipient::parse(std::string_view text) {
  if (text.starts_with("AGE-SECRET-KEY-") || text.starts_with("AGE-PLUGIN-") ||
      text.starts_with("-----BEGIN")) {
    return malformed_recipient("a private key was given instead of a public one");
  }
  if (text.starts_with("ssh-")) {
    return recipient_of<SshRecipient>(text);
  }
  if (text.starts_with("sk-") || text.starts_with("ecdsa-sha2-")) {
    return unsupported_recipient("an SSH key that is not of the type ssh-ed25519");
  }
  if (const std::string_view wrong = wrong_list(text); !wrong.empty()) {
    return malformed_recipient(wrong);
  }
  if (text.starts_with("age1pq1")) {
    return recipient_of<HybridRecipient>(text);
  }
  if (text.starts_with("age1tag1")) {
    return recipient_of<TagRecipient>(text);
  }
  if (text.starts_with("age1tagpq1")) {
    return recipient_of<HybridTagRecipient>(text);
  }
  if (text.starts_with("age1") && std::count(text.begin(), text.end(), '1') > 1) {
    return unsupported_recipient("a plugin or hardware key");
  }
  if (text.starts_with("scrypt")) {
    return unsupported_recipient("a passphrase (scrypt)");
  }
  return recipient_of<X25519Recipient>(text);
}

std::string Recipient::text() const {
  return std::visit([](const auto& kind) { return kind.text(); }, m_kind);
}

bool Recipient::post_quantum() const {
  return std::visit([](const auto& kind) { return kind.k_post_quantum; }, m_kind);
}

Result<Stanza> Recipient::wrap(ByteView file_key) const {
  auto stanza = std::visit([&](const auto& kind) { return kind.wrap(file_key); }, m_kind);
  if (!stanza) {
    Error error = std::move(stanza).error();
    if (error.code == ErrorCode::corrupt) {
      error.code = ErrorCode::invalid_argument;
    }
    return std::move(error).within("recipient");
  }
  return stanza;
}

std::size_t Recipient::stanza_bytes() const {
  return std::visit([](const auto& kind) { return kind.k_stanza_bytes; }, m_kind);
}

Status check_together(std::span<const Recipient> recipients) {
  const auto post_quantum = static_cast<std::size_t>(
      std::count_if(recipients.begin(), recipients.end(), [](const Recipient& recipient) {
        return recipient.post_quantum();
      }));
  if (post_quantum != 0 && post_quantum != recipients.size()) {
    return Error{ErrorCode::invalid_argument,
                 "recipients: post-quantum ones (age1pq1..., age1tagpq1...) beside others, which "
                 "would open the files to whoever breaks those; age refuses that, too",
                 "name post-quantum recipients only, or none"};
  }
  return {};
}

std::string recipients_sha256(std::span<const Recipient> recipients) {
  std::set<std::string> texts;
  for (const Recipient& recipient : recipients) {
    texts.insert(recipient.text());
  }
  std::string lines;
  for (const std::string& text : texts) {
    lines += text + "\n";
  }
  return to_hex(sha256(as_bytes(lines)));
}

std::string shortened(std::string_view recipient) {
  constexpr std::size_t k_line = 100; // an SSH key has 80 characters
  constexpr std::size_t k_begin = 24;
  constexpr std::size_t k_end = 12;
  if (recipient.size() <= k_line) {
    return std::string(recipient);
  }
  return std::string(recipient.substr(0, k_begin)) + "..." +
         std::string(recipient.substr(recipient.size() - k_end));
}

Identity::Identity(Kind kind)
    : m_kind(std::move(kind)),
      m_recipient(std::visit([](const auto& key) { return Recipient(key.recipient); }, m_kind)) {}

Result<Identity> Identity::parse(std::string_view text) {
  if (HybridIdentity::is_one(text)) {
    return identity_of<HybridIdentity>(text);
  }
  if (text.starts_with("AGE-PLUGIN-")) {
    return unsupported_identity("a plugin key");
  }
  return identity_of<X25519Identity>(text);
}

Result<Identity> Identity::generate() {
  SecretBytes secret(32);
  RB_TRY(fill_random(secret.span()));
  RB_TRY_ASSIGN(X25519Identity identity, X25519Identity::from_secret(std::move(secret)));
  return Identity(std::move(identity));
}

SecretBytes Identity::text() const {
  return std::visit([](const auto& kind) { return kind.text(); }, m_kind);
}

Result<std::optional<SecretBytes>> Identity::unwrap(const Stanza& stanza) const {
  return std::visit(
      [&](const auto& kind) {
        return stanza.type == kind.k_stanza_type ? kind.unwrap(stanza)
                                                 : std::optional<SecretBytes>();
      },
      m_kind);
}

} // namespace rb::age
