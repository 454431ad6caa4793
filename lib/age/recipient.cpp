#include "age/recipient.hpp"

#include "age/bech32.hpp"

#include <algorithm>

namespace rb::age {

namespace {

constexpr std::string_view k_prefix = "age";
constexpr std::string_view k_hint =
    "give an X25519 recipient (age1...), as age-keygen -y prints it";

Error unsupported(std::string_view kind) {
  return {ErrorCode::unsupported,
          "recipient: " + std::string(kind) + " is not supported",
          std::string(k_hint)};
}

Error malformed(std::string_view what) {
  return {ErrorCode::invalid_argument,
          "recipient: malformed: " + std::string(what),
          std::string(k_hint)};
}

} // namespace

Result<Recipient> Recipient::parse(std::string_view text) {
  if (!text.starts_with("ssh-") && text.find_first_of(" \t\r\n") != std::string_view::npos) {
    return malformed("white space within it: a comma is missing between two recipients");
  }
  if (text.starts_with("age1pq1")) {
    return unsupported("the post-quantum kind age1pq1");
  }
  if (text.starts_with("age1") && std::count(text.begin(), text.end(), '1') > 1) {
    return unsupported("a plugin or hardware key");
  }
  if (text.starts_with("ssh-")) {
    return unsupported("an ssh key");
  }
  if (text.starts_with("scrypt")) {
    return unsupported("a passphrase (scrypt)");
  }
  if (text.starts_with("AGE-SECRET-KEY-") || text.starts_with("AGE-PLUGIN-")) {
    return malformed("a private key was given instead of a public one");
  }
  auto decoded = bech32::decode(text);
  if (!decoded) {
    return malformed(decoded.error().message);
  }
  if (decoded->prefix != k_prefix) {
    return malformed("does not begin with age1");
  }
  PublicKey key{};
  if (decoded->data.size() != key.size()) {
    return malformed("not 32 bytes long");
  }
  std::copy_n(decoded->data.data(), key.size(), key.begin());
  return Recipient(key);
}

std::string Recipient::text() const {
  return std::string(bech32::encode(k_prefix, m_key).text());
}

} // namespace rb::age
