#include "age/openssh_key.hpp"

#include "age/key_text.hpp"

#include <algorithm>

namespace rb::age {

namespace {

using namespace std::string_view_literals;

constexpr std::string_view k_magic = "openssh-key-v1\0"sv;
constexpr std::string_view k_ed25519 = "ssh-ed25519";
constexpr std::size_t k_key_bytes = 32;
/// What the private part is filled up to where there is no cipher.
constexpr std::size_t k_block_bytes = 8;
constexpr std::size_t k_columns = 70;

Error malformed() {
  return malformed_identity("not a private key as OpenSSH writes it");
}

Error unsupported(std::string_view kind, std::string_view hint) {
  Error error = unsupported_identity(kind);
  error.hint = hint;
  return error;
}

/// Fields of SSH's wire format (RFC 4251, section 5) off the front of bytes.
class Fields {
public:
  explicit Fields(ByteView bytes) : m_left(bytes) {}

  [[nodiscard]] Result<std::uint32_t> number() {
    RB_TRY_ASSIGN(const ByteView bytes, take(4));
    return static_cast<std::uint32_t>(bytes[0]) << 24U |
           static_cast<std::uint32_t>(bytes[1]) << 16U |
           static_cast<std::uint32_t>(bytes[2]) << 8U | static_cast<std::uint32_t>(bytes[3]);
  }

  [[nodiscard]] Result<ByteView> string() {
    RB_TRY_ASSIGN(const std::uint32_t size, number());
    return take(size);
  }

  [[nodiscard]] Result<ByteView> take(std::size_t count) {
    if (m_left.size() < count) {
      return malformed();
    }
    const ByteView bytes = m_left.first(count);
    m_left = m_left.subspan(count);
    return bytes;
  }

  [[nodiscard]] ByteView left() const { return m_left; }

private:
  ByteView m_left;
};

void append_number(SecretBuffer& to, std::size_t number) {
  for (unsigned shift = 24;; shift -= 8) {
    to.append(static_cast<char>((number >> shift) & 0xffU));
    if (shift == 0) {
      return;
    }
  }
}

void append_string(SecretBuffer& to, ByteView bytes) {
  append_number(to, bytes.size());
  to.append(bytes);
}

/// What lies between the two lines, decoded.
Result<SecretBytes>
decode(std::string_view pem, std::string_view first_line, std::string_view last_line) {
  if (pem.size() > k_openssh_key_limit_bytes || !pem.starts_with(first_line)) {
    return malformed();
  }
  pem.remove_prefix(first_line.size());
  const std::size_t end = pem.find(last_line);
  if (end == std::string_view::npos || !pem.starts_with('\n')) {
    return malformed();
  }
  SecretBuffer digits(end);
  for (const char c : pem.substr(0, end)) {
    if (c != '\n') {
      digits.append(c);
    }
  }
  auto bytes = from_base64(digits.text());
  if (!bytes) {
    return malformed();
  }
  SecretBytes secret(*bytes);
  wipe(*bytes);
  return secret;
}

Status check_padding(ByteView padding) {
  for (std::size_t i = 0; i < padding.size(); ++i) {
    if (padding[i] != i + 1) {
      return malformed();
    }
  }
  return padding.size() < k_block_bytes ? Status{} : malformed();
}

/// The private part of a file without a passphrase.
Result<OpensshKey> read_private(ByteView bytes, ByteView public_blob) {
  Fields fields(bytes);
  RB_TRY_ASSIGN(const std::uint32_t first_check, fields.number());
  RB_TRY_ASSIGN(const std::uint32_t second_check, fields.number());
  RB_TRY_ASSIGN(const ByteView type, fields.string());
  if (first_check != second_check || bytes.size() % k_block_bytes != 0) {
    return malformed();
  }
  RB_TRY_ASSIGN(const ByteView key, fields.string());
  RB_TRY_ASSIGN(const ByteView secret, fields.string());
  RB_TRY(fields.string()); // a comment
  RB_TRY(check_padding(fields.left()));
  // The seed, then the public key once more: all three places must agree.
  if (as_text(type) != k_ed25519 || key.size() != k_key_bytes || secret.size() != 2 * k_key_bytes ||
      as_text(secret.subspan(k_key_bytes)) != as_text(key) ||
      as_text(public_blob) != as_text(ssh_ed25519_blob(key))) {
    return malformed();
  }
  OpensshKey result{SecretBytes(secret.first(k_key_bytes)), {}};
  std::copy(key.begin(), key.end(), result.key.begin());
  return result;
}

} // namespace

Result<OpensshKey> read_openssh_key(std::string_view pem) {
  RB_TRY_ASSIGN(const SecretBytes file, decode(pem, k_openssh_begin, k_openssh_end));
  Fields fields(file.view());
  RB_TRY_ASSIGN(const ByteView magic, fields.take(k_magic.size()));
  RB_TRY_ASSIGN(const ByteView cipher, fields.string());
  RB_TRY_ASSIGN(const ByteView kdf, fields.string());
  RB_TRY_ASSIGN(const ByteView kdf_options, fields.string());
  RB_TRY_ASSIGN(const std::uint32_t keys, fields.number());
  RB_TRY_ASSIGN(const ByteView public_blob, fields.string());
  RB_TRY_ASSIGN(const ByteView private_part, fields.string());
  Fields public_fields(public_blob);
  RB_TRY_ASSIGN(const ByteView type, public_fields.string());
  if (as_text(magic) != k_magic || keys != 1 || !fields.left().empty()) {
    return malformed();
  }
  if (as_text(type) != k_ed25519) {
    return unsupported("an OpenSSH key that is not of the type ssh-ed25519",
                       "give an ssh-ed25519 key or an age key, or open the files with age itself");
  }
  if (as_text(cipher) != "none") {
    return unsupported(
        "an OpenSSH key with a passphrase",
        "take the passphrase off a copy of it (ssh-keygen -p -N '' -f COPY), or open "
        "the files with age itself (age -d -i KEY)");
  }
  if (as_text(kdf) != "none" || !kdf_options.empty()) {
    return malformed();
  }
  return read_private(private_part, public_blob);
}

Result<SecretBytes> read_pkcs8_key(std::string_view pem) {
  // SEQUENCE { version 0 or 1, SEQUENCE { Ed25519 }, OCTET STRING { OCTET STRING { seed } }, … }
  constexpr std::string_view k_ed25519_key = "\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20"sv;
  constexpr std::size_t k_before = 5; // of the sequence and of the version
  const auto file = decode(pem, k_pkcs8_begin, k_pkcs8_end);
  const std::string_view bytes = file ? file->text() : std::string_view();
  const bool whole =
      bytes.size() >= k_before + k_ed25519_key.size() + k_key_bytes && bytes.front() == '\x30' &&
      bytes.size() == 2 + static_cast<std::size_t>(bytes[1]) &&
      bytes.substr(2, 2) == "\x02\x01"sv && bytes.substr(k_before).starts_with(k_ed25519_key);
  if (!whole) {
    return unsupported_identity("a private key in PEM");
  }
  return SecretBytes(file->view().subspan(k_before + k_ed25519_key.size(), k_key_bytes));
}

SecretBytes write_openssh_key(ByteView seed, ByteView key) {
  SecretBuffer secret;
  append_number(secret, 0); // two numbers that are equal; random ones where there is a passphrase
  append_number(secret, 0);
  append_string(secret, as_bytes(k_ed25519));
  append_string(secret, key);
  append_number(secret, 2 * k_key_bytes);
  secret.append(seed);
  secret.append(key);
  append_string(secret, {}); // no comment
  for (char padding = 1; secret.size() % k_block_bytes != 0; ++padding) {
    secret.append(padding);
  }

  SecretBuffer file;
  file.append(k_magic);
  append_string(file, as_bytes("none"sv));
  append_string(file, as_bytes("none"sv));
  append_string(file, {});
  append_number(file, 1);
  append_string(file, ssh_ed25519_blob(key));
  append_string(file, secret.view());

  std::string digits = to_base64(file.view());
  SecretBuffer pem;
  pem.append(k_openssh_begin);
  for (std::size_t at = 0; at < digits.size(); at += k_columns) {
    pem.append('\n');
    pem.append(std::string_view(digits).substr(at, k_columns));
  }
  pem.append('\n');
  pem.append(k_openssh_end);
  pem.append('\n');
  wipe({reinterpret_cast<std::uint8_t*>(digits.data()), digits.size()});
  return std::move(pem).take();
}

Bytes ssh_ed25519_blob(ByteView key) {
  SecretBuffer blob;
  append_string(blob, as_bytes(k_ed25519));
  append_string(blob, key);
  return {blob.view().begin(), blob.view().end()};
}

} // namespace rb::age
