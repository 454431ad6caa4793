#include "age/file.hpp"

#include "age/armor.hpp"
#include "age/payload.hpp"
#include "age/primitives.hpp"

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

/// The file as it is: shows it to the observer, remembers its own failures.
class ObservedSource final : public Source {
public:
  ObservedSource(Source& source, const std::function<void(ByteView)>& observer)
      : m_source(source), m_observer(observer) {}

  [[nodiscard]] Result<std::size_t> read(MutableByteView buffer) override {
    auto got = m_source.read(buffer);
    m_failed = m_failed || !got;
    if (got && m_observer && *got > 0) {
      m_observer(buffer.first(*got));
    }
    return got;
  }

  [[nodiscard]] bool failed() const { return m_failed; }

private:
  Source& m_source;
  const std::function<void(ByteView)>& m_observer;
  bool m_failed = false;
};

/// Header, nonce and payload, in the binary format. `failure` is set when it fails.
Status decrypt_binary(BufferedSource& source,
                      Sink& sink,
                      const HeaderKeys& keys,
                      const StreamOptions& options,
                      DecryptFailure& failure) {
  RB_TRY_ASSIGN(const OpenedHeader header, open_header(source, keys, failure));
  failure = DecryptFailure::other;
  OpenedPayload opened = open_payload(source, sink, header.payload_key.view(), options);
  if (opened.plaintext_bytes) {
    failure = DecryptFailure::none;
    return {};
  }
  if (opened.damaged && opened.plaintext_bytes.error().code == ErrorCode::corrupt) {
    failure = DecryptFailure::payload;
  }
  return std::move(opened.plaintext_bytes).error();
}

Status decrypt_classified(Source& source,
                          Sink& sink,
                          const HeaderKeys& keys,
                          const StreamOptions& options,
                          DecryptFailure& failure) {
  failure = DecryptFailure::other;
  if (keys.identities.empty() && !keys.ask) {
    return Error{ErrorCode::invalid_argument, "decrypt: no identity", {}};
  }
  ObservedSource file(source, options.on_ciphertext);
  BufferedSource buffered_file(file);
  RB_TRY_ASSIGN(const bool armored, looks_armored(buffered_file));
  Status done;
  if (armored) {
    ArmorSource armor(buffered_file);
    BufferedSource inside(armor);
    done = decrypt_binary(inside, sink, keys, options, failure);
    // A chunk that is damaged comes before armor that was read ahead of it.
    if (!done && armor.damaged() && failure != DecryptFailure::payload) {
      failure = DecryptFailure::armor;
    }
  } else {
    done = decrypt_binary(buffered_file, sink, keys, options, failure);
  }
  if (!done && file.failed() && failure != DecryptFailure::payload) {
    failure = DecryptFailure::other;
  }
  return done;
}

Status rewrap_classified(Source& source,
                         Sink& sink,
                         std::span<const Identity> identities,
                         std::span<const Recipient> recipients,
                         const StreamOptions& options,
                         DecryptFailure& failure) {
  failure = DecryptFailure::other;
  if (identities.empty()) {
    return Error{ErrorCode::invalid_argument, "rewrap: no identity", {}};
  }
  BufferedSource buffered(source);
  RB_TRY_ASSIGN(const UnwrappedHeader old, unwrap_header(buffered, {identities, {}}, failure));
  failure = DecryptFailure::other;
  RB_TRY_ASSIGN(const std::string header, make_header(old.file_key.view(), recipients));
  if (options.on_header) {
    options.on_header(old.text, header);
  }
  if (options.on_ciphertext) {
    options.on_ciphertext(as_bytes(old.text));
  }
  RB_TRY(sink.write(as_bytes(header)));
  RB_TRY_ASSIGN(const std::uint64_t copied, copy_sealed(buffered, sink, options));
  if (copied < k_payload_nonce_bytes + k_tag_bytes) {
    failure = DecryptFailure::payload;
    return Error{ErrorCode::corrupt, "payload: cut off before its first chunk", {}};
  }
  failure = DecryptFailure::none;
  return {};
}

/// Writes into memory of a size known beforehand, so that no copy is left by a reallocation.
class SecretSink final : public Sink {
public:
  explicit SecretSink(std::size_t capacity) : m_bytes(capacity) {}

  [[nodiscard]] Status write(ByteView bytes) override {
    if (bytes.size() > m_bytes.size() - m_filled) {
      return Error{ErrorCode::internal, "decrypt: more plaintext than ciphertext", {}};
    }
    std::copy(bytes.begin(), bytes.end(), m_bytes.data() + m_filled);
    m_filled += bytes.size();
    return {};
  }

  [[nodiscard]] SecretBytes take() const { return SecretBytes(m_bytes.view().first(m_filled)); }

private:
  SecretBytes m_bytes;
  std::size_t m_filled = 0;
};

} // namespace

Status encrypt(Source& source,
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
  RB_TRY(seal_payload(source, observed, key.view(), options));
  return {};
}

Result<Bytes> encrypt_bytes(ByteView plaintext, std::span<const Recipient> recipients) {
  Bytes ciphertext;
  ciphertext.reserve(encrypted_size_bytes(plaintext.size(), recipients));
  MemorySource source(plaintext);
  BytesSink sink(ciphertext);
  RB_TRY(encrypt(source, sink, recipients));
  return ciphertext;
}

std::uint64_t encrypted_size_bytes(std::uint64_t plaintext_bytes,
                                   std::span<const Recipient> recipients) {
  constexpr std::uint64_t k_footer_bytes = 4 + 43 + 1; // "--- ", mac
  const std::uint64_t chunks =
      std::max<std::uint64_t>(1, (plaintext_bytes + k_chunk_bytes - 1) / k_chunk_bytes);
  std::uint64_t size = k_header_intro.size() + k_footer_bytes + k_payload_nonce_bytes +
                       plaintext_bytes + chunks * k_tag_bytes;
  for (const Recipient& recipient : recipients) {
    size += recipient.stanza_bytes();
  }
  return size;
}

Status decrypt(Source& source,
               Sink& sink,
               std::span<const Identity> identities,
               const StreamOptions& options,
               DecryptFailure* failure) {
  DecryptFailure found = DecryptFailure::none;
  Status done = decrypt_classified(source, sink, {identities, {}}, options, found);
  if (failure != nullptr) {
    *failure = found;
  }
  return done;
}

Status rewrap(Source& source,
              Sink& sink,
              std::span<const Identity> identities,
              std::span<const Recipient> recipients,
              const StreamOptions& options,
              DecryptFailure* failure) {
  DecryptFailure found = DecryptFailure::none;
  Status done = rewrap_classified(source, sink, identities, recipients, options, found);
  if (failure != nullptr) {
    *failure = found;
  }
  return done;
}

Result<SecretBytes> decrypt_bytes(ByteView ciphertext, std::span<const Identity> identities) {
  MemorySource source(ciphertext);
  SecretSink sink(ciphertext.size()); // plaintext is always shorter
  RB_TRY(decrypt(source, sink, identities));
  return sink.take();
}

Result<SecretBytes> decrypt_bytes_with_passphrase(ByteView ciphertext,
                                                  const AskPassphrase& ask,
                                                  DecryptFailure* failure) {
  MemorySource source(ciphertext);
  SecretSink sink(ciphertext.size());
  DecryptFailure found = DecryptFailure::none;
  const Status done = decrypt_classified(source, sink, {{}, ask}, {}, found);
  if (failure != nullptr) {
    *failure = found;
  }
  if (!done) {
    return done.error();
  }
  return sink.take();
}

} // namespace rb::age
