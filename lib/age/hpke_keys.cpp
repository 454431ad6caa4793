#include "age/hpke_keys.hpp"

#include "age/hpke.hpp"
#include "age/kem.hpp"
#include "age/key_text.hpp"
#include "age/primitives.hpp"
#include "base/digest.hpp"

namespace rb::age {

namespace {

/// One kind of recipient, in its strings.
struct Kind {
  Kem kem;
  std::string_view prefix;
  std::size_t key_bytes;
  std::string_view stanza_type;
  std::string_view info;
};

constexpr Kind k_hybrid{Kem::mlkem768_x25519,
                        "age1pq",
                        k_mlkem768_x25519_key_bytes,
                        HybridIdentity::k_stanza_type,
                        "age-encryption.org/mlkem768x25519"};
constexpr Kind k_tag{
    Kem::p256, "age1tag", k_p256_compressed_point_bytes, "p256tag", "age-encryption.org/p256tag"};
constexpr Kind k_hybrid_tag{Kem::mlkem768_p256,
                            "age1tagpq",
                            k_mlkem768_p256_key_bytes,
                            "mlkem768p256tag",
                            "age-encryption.org/mlkem768p256tag"};

constexpr std::string_view k_identity_prefix = "AGE-SECRET-KEY-PQ-";
/// The same seed, for an age, rage or SOPS that needs a plugin for it (age-plugin-pq -identity).
constexpr std::string_view k_plugin_prefix = "AGE-PLUGIN-PQ-";
constexpr std::size_t k_tag_argument_bytes = 4;

Error no_ml_kem(std::string_view subject) {
  return {ErrorCode::unsupported,
          std::string(subject) + ": a post-quantum key " + needs_ml_kem() +
              "; those of the image and the tarball bring one",
          {}};
}

Result<Bytes> parse_key(const Kind& kind, std::string_view text) {
  RB_TRY_ASSIGN(Bytes key, decode_recipient(text, kind.prefix, kind.key_bytes));
  if (const Status checked = check_public_key(kind.kem, key); !checked) {
    return checked.error().code == ErrorCode::unsupported
               ? no_ml_kem("recipient")
               : malformed_recipient(checked.error().message);
  }
  return key;
}

Error malformed_stanza() {
  return {ErrorCode::corrupt,
          "malformed " + std::string(HybridIdentity::k_stanza_type) + " stanza",
          {}};
}

struct Message {
  Bytes enc;
  Bytes body;
};

Result<Message> seal(const Kind& kind, ByteView key, ByteView file_key) {
  RB_TRY_ASSIGN(Encapsulated made, encapsulate(kind.kem, key));
  RB_TRY_ASSIGN(const hpke::MessageKey message,
                hpke::message_key(
                    static_cast<std::uint16_t>(kind.kem), made.shared_secret.view(), kind.info));
  RB_TRY_ASSIGN(Bytes body, seal_file_key(message.key.view(), file_key, message.nonce));
  return Message{std::move(made.enc), std::move(body)};
}

/// A stanza by which a token is found without asking it: the tag is of `enc` and of the point
/// `tagged`.
Result<Stanza> wrap_tagged(const Kind& kind, ByteView key, ByteView tagged, ByteView file_key) {
  RB_TRY_ASSIGN(Message message, seal(kind, key, file_key));
  Bytes named = message.enc;
  const Sha256Digest digest = sha256(tagged);
  named.insert(named.end(), digest.begin(), digest.begin() + k_tag_argument_bytes);
  RB_TRY_ASSIGN(const SecretBytes tag, hkdf_extract(named, as_bytes(kind.info)));
  return Stanza{
      std::string(kind.stanza_type),
      {encode_unpadded(tag.view().first(k_tag_argument_bytes)), encode_unpadded(message.enc)},
      std::move(message.body)};
}

} // namespace

Result<HybridRecipient> HybridRecipient::parse(std::string_view text) {
  RB_TRY_ASSIGN(Bytes key, parse_key(k_hybrid, text));
  return HybridRecipient{std::move(key)};
}

std::string HybridRecipient::text() const {
  return encode_recipient(k_hybrid.prefix, key);
}

Result<Stanza> HybridRecipient::wrap(ByteView file_key) const {
  RB_TRY_ASSIGN(Message message, seal(k_hybrid, key, file_key));
  return Stanza{
      std::string(k_hybrid.stanza_type), {encode_unpadded(message.enc)}, std::move(message.body)};
}

Result<HybridIdentity> HybridIdentity::from_seed(SecretBytes seed) {
  if (!has_ml_kem()) {
    return no_ml_kem("identity");
  }
  RB_TRY_ASSIGN(Bytes key, mlkem768_x25519_public_key(seed.view()));
  return HybridIdentity{std::move(seed), {std::move(key)}};
}

Result<HybridIdentity> HybridIdentity::parse(std::string_view text) {
  const auto prefix = text.starts_with(k_plugin_prefix) ? k_plugin_prefix : k_identity_prefix;
  RB_TRY_ASSIGN(SecretBytes seed, decode_identity(text, prefix, k_hybrid_seed_bytes));
  return from_seed(std::move(seed));
}

SecretBytes HybridIdentity::text() const {
  return encode_identity(k_identity_prefix, seed.view());
}

Result<std::optional<SecretBytes>> HybridIdentity::unwrap(const Stanza& stanza) const {
  if (stanza.arguments.size() != 1 || stanza.body.size() != k_sealed_file_key_bytes) {
    return malformed_stanza();
  }
  const auto enc = decode_unpadded(stanza.arguments.front());
  if (!enc || enc->size() != k_mlkem768_x25519_enc_bytes) {
    return malformed_stanza();
  }
  RB_TRY_ASSIGN(const SecretBytes shared, mlkem768_x25519_decapsulate(seed.view(), *enc));
  RB_TRY_ASSIGN(
      const hpke::MessageKey message,
      hpke::message_key(static_cast<std::uint16_t>(k_hybrid.kem), shared.view(), k_hybrid.info));
  return open_file_key(message.key.view(), stanza.body, message.nonce);
}

Result<TagRecipient> TagRecipient::parse(std::string_view text) {
  RB_TRY_ASSIGN(Bytes key, parse_key(k_tag, text));
  return TagRecipient{std::move(key)};
}

std::string TagRecipient::text() const {
  return encode_recipient(k_tag.prefix, key);
}

Result<Stanza> TagRecipient::wrap(ByteView file_key) const {
  return wrap_tagged(k_tag, key, key, file_key);
}

Result<HybridTagRecipient> HybridTagRecipient::parse(std::string_view text) {
  RB_TRY_ASSIGN(Bytes key, parse_key(k_hybrid_tag, text));
  return HybridTagRecipient{std::move(key)};
}

std::string HybridTagRecipient::text() const {
  return encode_recipient(k_hybrid_tag.prefix, key);
}

Result<Stanza> HybridTagRecipient::wrap(ByteView file_key) const {
  return wrap_tagged(k_hybrid_tag, key, ByteView(key).subspan(k_ml_kem_key_bytes), file_key);
}

} // namespace rb::age
