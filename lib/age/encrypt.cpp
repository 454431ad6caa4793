#include "age/encrypt.hpp"

#include "age/chunk_cipher.hpp"
#include "age/header.hpp"
#include "age/keys.hpp"
#include "age/payload.hpp"
#include "age/primitives.hpp"
#include "age/x25519.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace rb::age {

namespace {

class ObservedSink final : public Sink {
public:
  ObservedSink(Sink& sink, const std::function<void(ByteView)>& observer)
      : m_sink(sink), m_observer(observer) {}

  [[nodiscard]] Status write(ByteView bytes) override {
    if (m_observer) {
      m_observer(bytes);
    }
    return m_sink.write(bytes);
  }

private:
  Sink& m_sink;
  const std::function<void(ByteView)>& m_observer;
};

std::vector<Recipient> without_duplicates(std::span<const Recipient> recipients) {
  std::vector<Recipient> kept;
  for (const Recipient& recipient : recipients) {
    if (std::find(kept.begin(), kept.end(), recipient) == kept.end()) {
      kept.push_back(recipient);
    }
  }
  return kept;
}

Result<std::string> make_header(ByteView file_key, std::span<const Recipient> recipients) {
  if (recipients.empty()) {
    return Error{ErrorCode::invalid_argument, "encrypt: no recipient", {}};
  }
  if (recipients.size() > k_stanza_limit) {
    return Error{ErrorCode::invalid_argument, "encrypt: more than 1024 recipients", {}};
  }
  Header header;
  for (const Recipient& recipient : without_duplicates(recipients)) {
    RB_TRY_ASSIGN(Stanza stanza, wrap_x25519(file_key, recipient));
    header.stanzas.push_back(std::move(stanza));
  }
  RB_TRY_ASSIGN(header.mac, header_mac(file_key, mac_covered(marshal(header))));
  return marshal(header);
}

} // namespace

Result<EncryptSummary> encrypt(Source& source,
                               Sink& sink,
                               std::span<const Recipient> recipients,
                               const StreamOptions& options) {
  SecretBytes file_key(k_file_key_bytes);
  RB_TRY(fill_random(file_key.span()));
  RB_TRY_ASSIGN(const std::string header, make_header(file_key.view(), recipients));
  std::array<std::uint8_t, k_payload_nonce_bytes> nonce{};
  RB_TRY(fill_random(nonce));
  RB_TRY_ASSIGN(const SecretBytes key, payload_key(file_key.view(), nonce));

  ObservedSink observed(sink, options.on_ciphertext);
  RB_TRY(observed.write(as_bytes(header)));
  RB_TRY(observed.write(nonce));
  RB_TRY_ASSIGN(const std::uint64_t sealed_bytes,
                seal_payload(source, observed, key.view(), options));
  const std::uint64_t chunks = (sealed_bytes + k_sealed_chunk_bytes - 1) / k_sealed_chunk_bytes;
  EncryptSummary summary;
  summary.plaintext_bytes = sealed_bytes - chunks * k_tag_bytes;
  summary.ciphertext_bytes = header.size() + nonce.size() + sealed_bytes;
  return summary;
}

Result<Bytes> encrypt_bytes(ByteView plaintext, std::span<const Recipient> recipients) {
  Bytes ciphertext;
  ciphertext.reserve(encrypted_size_bytes(plaintext.size(), recipients.size()));
  MemorySource source(plaintext);
  BytesSink sink(ciphertext);
  RB_TRY(encrypt(source, sink, recipients));
  return ciphertext;
}

std::uint64_t encrypted_size_bytes(std::uint64_t plaintext_bytes, std::size_t recipients) {
  constexpr std::uint64_t k_stanza_bytes = 10 + 43 + 1 + 43 + 1; // "-> X25519 ", share, body
  constexpr std::uint64_t k_footer_bytes = 4 + 43 + 1;           // "--- ", mac
  const std::uint64_t chunks =
      std::max<std::uint64_t>(1, (plaintext_bytes + k_chunk_bytes - 1) / k_chunk_bytes);
  return k_header_intro.size() + recipients * k_stanza_bytes + k_footer_bytes +
         k_payload_nonce_bytes + plaintext_bytes + chunks * k_tag_bytes;
}

} // namespace rb::age
