#include "sign/public_key.hpp"

#include "sign/digest_context.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <memory>

namespace rb::sign {

namespace {

constexpr std::string_view k_algorithm = "Ed";
constexpr std::string_view k_comment = "untrusted comment:";
constexpr std::size_t k_decoded_bytes = 2 + 8 + PublicKey::k_raw_bytes;
constexpr std::size_t k_secret_decoded_bytes = 158; ///< minisign's secret key.

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view k_blank = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(k_blank);
  return begin == std::string_view::npos
             ? std::string_view()
             : text.substr(begin, text.find_last_not_of(k_blank) - begin + 1);
}

/// Without the comment line, where there is one.
std::string_view key_line(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with(k_comment)) {
    const std::size_t end = text.find('\n');
    text = end == std::string_view::npos ? std::string_view() : trimmed(text.substr(end));
  }
  return text;
}

Error malformed() {
  return {ErrorCode::invalid_argument,
          "not a public key: a file of minisign's format, or its second line (RW…), is wanted",
          "it is railiance-backup.pub, `railiance-backup show` has it, too"};
}

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

} // namespace

std::string to_string(const KeyId& id) {
  KeyId reversed = id;
  std::ranges::reverse(reversed);
  std::string text = to_hex(reversed);
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'a' && c <= 'f' ? static_cast<char>(c - 32) : c;
  });
  return text;
}

Result<PublicKey> PublicKey::parse(std::string_view text) {
  const auto bytes = from_base64(key_line(text));
  if (bytes && bytes->size() == k_secret_decoded_bytes) {
    return Error{ErrorCode::invalid_argument,
                 "this is a secret key of minisign, not a public one",
                 "the public key has 56 characters and begins with RW"};
  }
  if (!bytes || bytes->size() != k_decoded_bytes) {
    return malformed();
  }
  if (as_text(*bytes).substr(0, k_algorithm.size()) != k_algorithm) {
    return Error{ErrorCode::unsupported, "a public key of another kind than Ed25519", {}};
  }
  KeyId id{};
  Raw raw{};
  std::copy_n(bytes->begin() + 2, id.size(), id.begin());
  std::copy_n(bytes->begin() + 10, raw.size(), raw.begin());
  return PublicKey(id, raw);
}

std::string PublicKey::line() const {
  Bytes bytes(k_algorithm.begin(), k_algorithm.end());
  bytes.insert(bytes.end(), m_id.begin(), m_id.end());
  bytes.insert(bytes.end(), m_raw.begin(), m_raw.end());
  return to_base64(bytes);
}

std::string PublicKey::file() const {
  return std::string(k_comment) + " minisign public key " + to_string(m_id) + "\n" + line() + "\n";
}

bool is_signed_by(const PublicKey& key,
                  ByteView message,
                  std::span<const std::uint8_t, 64> signature) {
  const std::unique_ptr<EVP_PKEY, FreeKey> pkey(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.raw().data(), key.raw().size()));
  const DigestContext context(EVP_MD_CTX_new());
  return pkey && context &&
         EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, pkey.get()) == 1 &&
         EVP_DigestVerify(
             context.get(), signature.data(), signature.size(), message.data(), message.size()) ==
             1;
}

} // namespace rb::sign
