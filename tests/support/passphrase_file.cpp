#include "support/passphrase_file.hpp"

#include "age/header.hpp"
#include "age/primitives.hpp"

#include <algorithm>
#include <array>

namespace rb::test {

namespace {

Bytes sealed(ByteView key, const age::ChunkNonce& nonce, ByteView plain) {
  Bytes bytes(plain.begin(), plain.end());
  bytes.resize(plain.size() + age::k_tag_bytes);
  auto cipher = age::ChunkCipher::make(key, age::ChunkCipher::Direction::seal).value();
  return cipher.seal(nonce, bytes) ? bytes : Bytes();
}

} // namespace

std::string protect(std::string_view plaintext, std::string_view passphrase) {
  constexpr unsigned k_work_factor = 4;
  const std::array<std::uint8_t, 16> file_key{1, 2, 3};
  const std::array<std::uint8_t, 16> salt{4, 5, 6};
  const std::array<std::uint8_t, 16> nonce{7, 8, 9};
  const std::string label = "age-encryption.org/v1/scrypt";
  Bytes labelled(label.begin(), label.end());
  labelled.insert(labelled.end(), salt.begin(), salt.end());
  const SecretBytes wrapping = age::scrypt(as_bytes(passphrase), labelled, k_work_factor).value();
  age::Header header;
  header.stanzas.push_back({"scrypt",
                            {age::encode_unpadded(salt), std::to_string(k_work_factor)},
                            sealed(wrapping.view(), {}, file_key)});
  const std::string draft = age::marshal(header);
  header.mac = age::header_mac(file_key, age::mac_covered(draft)).value();
  std::string file = age::marshal(header);
  file.append(as_text(nonce));
  const SecretBytes key = age::payload_key(file_key, nonce).value();
  file.append(as_text(sealed(key.view(), age::chunk_nonce(0, true), as_bytes(plaintext))));
  return file;
}

} // namespace rb::test
