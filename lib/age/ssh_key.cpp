#include "age/ssh_key.hpp"

#include "age/evp.hpp"
#include "age/key_text.hpp"
#include "age/openssh_key.hpp"
#include "base/digest.hpp"

#include <openssl/bn.h>

#include <algorithm>
#include <array>

namespace rb::age {

namespace {

constexpr std::string_view k_label = "age-encryption.org/v1/ssh-ed25519";
constexpr std::size_t k_fingerprint_bytes = 4;

Error malformed_stanza() {
  return {ErrorCode::corrupt, "malformed ssh-ed25519 stanza", {}};
}

Error failed(std::string_view what) {
  return {ErrorCode::internal, std::string(what) + ": openssl failed", {}};
}

using Number = std::unique_ptr<BIGNUM, evp::Free<BN_free>>;
using Scratch = std::unique_ptr<BN_CTX, evp::Free<BN_CTX_free>>;

/// Numbers modulo 2^255 - 19, the field of both curves. For public keys only: it takes no constant
/// time. What OpenSSL could not do is nothing, and so is what is made of it.
class Field {
public:
  Field()
      : m_scratch(BN_CTX_new()), m_prime(number("7fffffffffffffffffffffffffffffff"
                                                "ffffffffffffffffffffffffffffffed")) {}

  [[nodiscard]] static Number number(const char* hex) {
    BIGNUM* made = nullptr;
    return BN_hex2bn(&made, hex) > 0 ? Number(made) : nullptr;
  }

  [[nodiscard]] Number add(const Number& a, const Number& b) const {
    return apply(BN_mod_add, a, b);
  }
  [[nodiscard]] Number subtract(const Number& a, const Number& b) const {
    return apply(BN_mod_sub, a, b);
  }
  [[nodiscard]] Number multiply(const Number& a, const Number& b) const {
    return apply(BN_mod_mul, a, b);
  }
  [[nodiscard]] Number inverse(const Number& a) const {
    return a ? Number(BN_mod_inverse(nullptr, a.get(), m_prime.get(), m_scratch.get())) : nullptr;
  }
  [[nodiscard]] bool is_square(const Number& a) const {
    return a && BN_kronecker(a.get(), m_prime.get(), m_scratch.get()) >= 0;
  }

private:
  template <typename Operation>
  [[nodiscard]] Number apply(Operation operation, const Number& a, const Number& b) const {
    Number result(BN_new());
    return a && b && operation(result.get(), a.get(), b.get(), m_prime.get(), m_scratch.get()) == 1
               ? std::move(result)
               : nullptr;
  }

  Scratch m_scratch;
  Number m_prime;
};

/// The point of Curve25519 that belongs to one of edwards25519 (RFC 7748, section 4.1:
/// u = (1+y)/(1-y)). Errors: invalid_argument (no point of the curve, or one without such a u).
Result<PublicKey> montgomery(const PublicKey& key) {
  PublicKey y_bytes = key;
  y_bytes.back() &= 0x7fU; // the sign of x
  const Field field;
  const Number one = Field::number("1");
  const Number d =
      Field::number("52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3");
  const Number y(BN_lebin2bn(y_bytes.data(), static_cast<int>(y_bytes.size()), nullptr));
  // x^2 = (y^2 - 1) / (d y^2 + 1): a square where the product of both is one.
  const Number y_squared = field.multiply(y, y);
  const Number above = field.subtract(y_squared, one);
  const Number below = field.add(field.multiply(d, y_squared), one);
  const Number u = field.multiply(field.add(one, y), field.inverse(field.subtract(one, y)));
  PublicKey point{};
  if (!u || !field.is_square(field.multiply(above, below)) ||
      BN_bn2lebinpad(u.get(), point.data(), static_cast<int>(point.size())) < 0) {
    return Error{ErrorCode::invalid_argument, "not a usable point of Ed25519", {}};
  }
  return point;
}

Result<PublicKey> ed25519_public_key(ByteView seed) {
  const evp::Key key(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()));
  PublicKey result{};
  std::size_t size = result.size();
  if (!key || EVP_PKEY_get_raw_public_key(key.get(), result.data(), &size) != 1 ||
      size != result.size()) {
    return failed("ed25519");
  }
  return result;
}

/// The scalar of X25519 that belongs to the key (RFC 8032, section 5.1.5).
Result<SecretBytes> scalar_of(ByteView seed) {
  SecretBytes digest(64);
  if (EVP_Digest(seed.data(), seed.size(), digest.data(), nullptr, EVP_sha512(), nullptr) != 1) {
    return failed("sha512");
  }
  return SecretBytes(digest.view().first(32));
}

std::string fingerprint(ByteView blob) {
  return encode_unpadded(ByteView(sha256(blob)).first(k_fingerprint_bytes));
}

/// `shared_secret` of the share and the recipient's point, bound to the SSH key as it is sent.
Result<SecretBytes> wrapping_key(ByteView shared_secret,
                                 ByteView blob,
                                 const PublicKey& share,
                                 const PublicKey& recipient) {
  RB_TRY_ASSIGN(const SecretBytes tweak, hkdf_sha256({}, blob, k_label));
  PublicKey point{};
  std::copy_n(shared_secret.begin(), point.size(), point.begin());
  auto tweaked = x25519_shared_secret(tweak.view(), point);
  wipe(point);
  if (!tweaked) {
    return std::move(tweaked).error();
  }
  std::array<std::uint8_t, 64> salt{};
  std::copy(share.begin(), share.end(), salt.begin());
  std::copy(recipient.begin(), recipient.end(), salt.begin() + 32);
  return hkdf_sha256(tweaked->view(), salt, k_label);
}

/// Where a comma was forgotten, the next recipient looks like the comment of this one. Comments
/// such as "ssh-key-2024-05-01" (of Oracle's cloud) are none.
bool holds_recipient(std::string_view comment) {
  constexpr const char* k_blanks = " \t";
  constexpr std::size_t k_shortest_of_age = 50;
  bool behind_type = false;
  while (!comment.empty()) {
    const std::size_t end = std::min(comment.find_first_of(k_blanks), comment.size());
    const std::string_view word = comment.substr(0, end);
    if ((behind_type && word.starts_with("AAAA")) ||
        (word.starts_with("age1") && word.size() >= k_shortest_of_age)) {
      return true;
    }
    behind_type = word.starts_with("ssh-") || (behind_type && word.empty());
    comment.remove_prefix(std::min(end + 1, comment.size()));
  }
  return false;
}

} // namespace

Result<SshRecipient> SshRecipient::parse(std::string_view text) {
  const std::size_t type_end = std::min(text.find_first_of(" \t"), text.size());
  const std::string_view type = text.substr(0, type_end);
  if (type != SshIdentity::k_stanza_type) {
    return type == "ssh-rsa" ? unsupported_recipient("an ssh-rsa key")
                             : malformed_recipient("not an ssh-ed25519 key");
  }
  text.remove_prefix(type_end);
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  const std::size_t key_end = std::min(text.find_first_of(" \t"), text.size());
  const std::string_view comment = text.substr(std::min(key_end + 1, text.size()));
  if (holds_recipient(comment)) {
    return malformed_recipient("a comma is missing between two recipients");
  }
  const auto blob = from_base64(text.substr(0, key_end));
  SshRecipient recipient;
  const std::size_t size = recipient.key.size();
  if (!blob || blob->size() < size) {
    return malformed_recipient("not an ssh-ed25519 key");
  }
  std::copy(blob->end() - static_cast<std::ptrdiff_t>(size), blob->end(), recipient.key.begin());
  if (*blob != ssh_ed25519_blob(recipient.key)) {
    return malformed_recipient("not an ssh-ed25519 key");
  }
  if (const auto point = montgomery(recipient.key); !point) {
    return malformed_recipient(point.error().message);
  }
  return recipient;
}

std::string SshRecipient::text() const {
  return std::string(SshIdentity::k_stanza_type) + " " + to_base64(ssh_ed25519_blob(key));
}

Result<Stanza> SshRecipient::wrap(ByteView file_key) const {
  RB_TRY_ASSIGN(const PublicKey point, montgomery(key));
  SecretBytes ephemeral(32);
  RB_TRY(fill_random(ephemeral.span()));
  RB_TRY_ASSIGN(const PublicKey share, x25519_public_key(ephemeral.view()));
  RB_TRY_ASSIGN(const SecretBytes shared, x25519_shared_secret(ephemeral.view(), point));
  const Bytes blob = ssh_ed25519_blob(key);
  RB_TRY_ASSIGN(const SecretBytes wrapping, wrapping_key(shared.view(), blob, share, point));
  RB_TRY_ASSIGN(Bytes body, seal_file_key(wrapping.view(), file_key));
  return Stanza{std::string(SshIdentity::k_stanza_type),
                {fingerprint(blob), encode_unpadded(share)},
                std::move(body)};
}

Result<SshIdentity> SshIdentity::from_seed(SecretBytes seed) {
  RB_TRY_ASSIGN(const PublicKey key, ed25519_public_key(seed.view()));
  return SshIdentity{std::move(seed), {key}};
}

Result<SshIdentity> SshIdentity::parse(std::string_view pem) {
  if (pem.starts_with(k_pkcs8_begin)) {
    RB_TRY_ASSIGN(SecretBytes seed, read_pkcs8_key(pem));
    return from_seed(std::move(seed));
  }
  RB_TRY_ASSIGN(OpensshKey key, read_openssh_key(pem));
  RB_TRY_ASSIGN(SshIdentity identity, from_seed(std::move(key.seed)));
  if (identity.recipient.key != key.key) {
    return malformed_identity("the public key in it is another one's");
  }
  return identity;
}

SecretBytes SshIdentity::text() const {
  return write_openssh_key(seed.view(), recipient.key);
}

Result<X25519Identity> SshIdentity::x25519() const {
  RB_TRY_ASSIGN(SecretBytes scalar, scalar_of(seed.view()));
  return X25519Identity::from_secret(std::move(scalar));
}

Result<std::optional<SecretBytes>> SshIdentity::unwrap(const Stanza& stanza) const {
  if (stanza.arguments.size() != 2 || stanza.body.size() != k_sealed_file_key_bytes) {
    return malformed_stanza();
  }
  const auto bytes = decode_unpadded(stanza.arguments[1]);
  PublicKey share{};
  if (!bytes || bytes->size() != share.size()) {
    return malformed_stanza();
  }
  const Bytes blob = ssh_ed25519_blob(recipient.key);
  if (stanza.arguments[0] != fingerprint(blob)) {
    return std::optional<SecretBytes>();
  }
  std::copy(bytes->begin(), bytes->end(), share.begin());
  RB_TRY_ASSIGN(const SecretBytes scalar, scalar_of(seed.view()));
  RB_TRY_ASSIGN(const PublicKey point, x25519_public_key(scalar.view()));
  RB_TRY_ASSIGN(const SecretBytes shared, x25519_shared_secret(scalar.view(), share));
  RB_TRY_ASSIGN(const SecretBytes key, wrapping_key(shared.view(), blob, share, point));
  return open_file_key(key.view(), stanza.body);
}

} // namespace rb::age
