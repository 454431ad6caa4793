// What the tests of lib/age share: test keys, patterned bytes, an armor writer, failing ports.
#pragma once

#include "age/armor.hpp"
#include "age/identity.hpp"
#include "age/io.hpp"
#include "base/bytes.hpp"
#include "base/fd.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace rb::age::test {

// The identity of the X25519 vectors of the C2SP test kit; it guards nothing.
inline constexpr std::string_view k_identity =
    "AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0";

inline Bytes pattern(std::size_t size, std::uint32_t seed = 1) {
  Bytes bytes(size);
  std::uint32_t state = seed * 2654435761U + 1U;
  for (std::uint8_t& byte : bytes) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<std::uint8_t>(state >> 24U);
  }
  return bytes;
}

inline std::vector<Identity> one_identity() {
  std::vector<Identity> identities;
  identities.push_back(Identity::parse(k_identity).value());
  return identities;
}

inline std::vector<Recipient> recipients_of(const std::vector<Identity>& identities) {
  std::vector<Recipient> recipients;
  for (const Identity& identity : identities) {
    recipients.push_back(identity.recipient());
  }
  return recipients;
}

/// A file of tests/unit/age/vectors.
inline std::string vector_text(const std::string& name) {
  constexpr std::size_t k_limit_bytes = std::size_t{1} << 20U;
  return read_text_file(RB_SOURCE_DIR "/tests/unit/age/vectors/" + name, k_limit_bytes).value();
}

/// Its first line.
inline std::string vector_line(const std::string& name) {
  const std::string text = vector_text(name);
  return text.substr(0, text.find('\n'));
}

inline std::string armored(ByteView bytes, std::string_view newline = "\n") {
  const std::string text = to_base64(bytes);
  std::string out = std::string(k_armor_begin).append(newline);
  for (std::size_t at = 0; at < text.size(); at += 64) {
    out.append(text.substr(at, 64)).append(newline);
  }
  return out.append(k_armor_end).append(newline);
}

inline Bytes bytes_of(std::string_view text) {
  return {text.begin(), text.end()};
}

inline Bytes bytes_of(ByteView view) {
  return {view.begin(), view.end()};
}

/// The first `count` bytes.
inline Bytes prefix(const Bytes& bytes, std::size_t count) {
  return bytes_of(ByteView(bytes).first(count));
}

/// Gives `good` bytes, then fails.
class FailingSource final : public Source {
public:
  explicit FailingSource(std::size_t good) : m_left(good) {}
  Result<std::size_t> read(MutableByteView buffer) override {
    if (buffer.size() > m_left) {
      return Error{ErrorCode::io, "disk gone", {}};
    }
    m_left -= buffer.size();
    std::fill(buffer.begin(), buffer.end(), std::uint8_t{7});
    return buffer.size();
  }

private:
  std::size_t m_left;
};

/// Takes `good` bytes, then fails as a full disk does.
class FullSink final : public Sink {
public:
  explicit FullSink(std::size_t good) : m_left(good) {}
  Status write(ByteView bytes) override {
    if (bytes.size() > m_left) {
      return Error{ErrorCode::no_space, "disk full", {}};
    }
    m_left -= bytes.size();
    return {};
  }

private:
  std::size_t m_left;
};

} // namespace rb::age::test
