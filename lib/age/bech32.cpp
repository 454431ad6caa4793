#include "age/bech32.hpp"

#include <array>
#include <cstdint>
#include <optional>

namespace rb::age::bech32 {

namespace {

constexpr std::string_view k_digits = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
constexpr std::size_t k_checksum_digits = 6;

Error bad(std::string_view what) {
  return {ErrorCode::corrupt, std::string(what), {}};
}

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}

char lower(char c) {
  return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
}

/// The BCH checksum of BIP-173, one 5-bit value at a time.
class Checksum {
public:
  void add(std::uint32_t value) {
    constexpr std::array<std::uint32_t, 5> k_generator{
        0x3b6a57b2U, 0x26508e6dU, 0x1ea119faU, 0x3d4233ddU, 0x2a1462b3U};
    const std::uint32_t top = m_state >> 25U;
    m_state = ((m_state & 0x1ffffffU) << 5U) ^ value;
    for (std::size_t i = 0; i < k_generator.size(); ++i) {
      if (((top >> i) & 1U) != 0) {
        m_state ^= k_generator[i];
      }
    }
  }

  void add_prefix(std::string_view prefix) {
    for (const char c : prefix) {
      add(static_cast<std::uint8_t>(lower(c)) >> 5U);
    }
    add(0);
    for (const char c : prefix) {
      add(static_cast<std::uint8_t>(lower(c)) & 31U);
    }
  }

  [[nodiscard]] std::uint32_t state() const { return m_state; }

private:
  std::uint32_t m_state = 1;
};

Status check_characters(std::string_view text) {
  bool any_upper = false;
  bool any_lower = false;
  for (const char c : text) {
    if (c < 33 || c > 126) {
      return bad("a character that is not printable ASCII");
    }
    any_upper = any_upper || is_upper(c);
    any_lower = any_lower || is_lower(c);
  }
  if (any_upper && any_lower) {
    return bad("upper and lower case mixed");
  }
  return {};
}

std::optional<std::uint32_t> digit_value(char c) {
  const std::size_t at = k_digits.find(lower(c));
  if (at == std::string_view::npos) {
    return std::nullopt;
  }
  return static_cast<std::uint32_t>(at);
}

/// Joins 5-bit digits to bytes; what is left over must be fewer than 5 zero bits.
Result<SecretBytes> to_bytes(std::string_view digits) {
  SecretBytes bytes(digits.size() * 5 / 8);
  std::uint32_t pending = 0;
  unsigned pending_bits = 0;
  std::size_t filled = 0;
  for (const char c : digits) {
    pending = (pending << 5U) | digit_value(c).value_or(0);
    pending_bits += 5;
    if (pending_bits >= 8) {
      pending_bits -= 8;
      bytes.span()[filled++] = static_cast<std::uint8_t>(pending >> pending_bits);
      pending &= (1U << pending_bits) - 1U;
    }
  }
  if (pending_bits >= 5 || pending != 0) {
    return bad("padding that is not zero or too long");
  }
  return bytes;
}

} // namespace

Result<Decoded> decode(std::string_view text) {
  RB_TRY(check_characters(text));
  const std::size_t separator = text.rfind('1');
  if (separator == std::string_view::npos || separator == 0) {
    return bad("no prefix");
  }
  const std::string_view prefix = text.substr(0, separator);
  const std::string_view digits = text.substr(separator + 1);
  if (digits.size() < k_checksum_digits) {
    return bad("too short");
  }
  Checksum checksum;
  checksum.add_prefix(prefix);
  for (const char c : digits) {
    const auto value = digit_value(c);
    if (!value) {
      return bad("a character that is not a bech32 digit");
    }
    checksum.add(*value);
  }
  if (checksum.state() != 1) {
    return bad("wrong checksum");
  }
  RB_TRY_ASSIGN(SecretBytes data, to_bytes(digits.substr(0, digits.size() - k_checksum_digits)));
  return Decoded{std::string(prefix), std::move(data)};
}

SecretBytes encode(std::string_view prefix, ByteView data) {
  const std::size_t data_digits = (data.size() * 8 + 4) / 5;
  SecretBytes text(prefix.size() + 1 + data_digits + k_checksum_digits);
  std::size_t filled = 0;
  const auto put = [&](char c) { text.span()[filled++] = static_cast<std::uint8_t>(c); };
  Checksum checksum;
  checksum.add_prefix(prefix);
  for (const char c : prefix) {
    put(c);
  }
  put('1');
  for (std::size_t i = 0; i < data_digits; ++i) {
    std::uint32_t value = 0;
    for (std::size_t bit = i * 5; bit < i * 5 + 5; ++bit) {
      const std::uint32_t byte = bit / 8 < data.size() ? data[bit / 8] : 0U;
      value = (value << 1U) | ((byte >> (7U - bit % 8)) & 1U);
    }
    checksum.add(value);
    put(k_digits[value]);
  }
  for (std::size_t i = 0; i < k_checksum_digits; ++i) {
    checksum.add(0);
  }
  const std::uint32_t sum = checksum.state() ^ 1U;
  for (std::size_t i = 0; i < k_checksum_digits; ++i) {
    put(k_digits[(sum >> (5 * (k_checksum_digits - 1 - i))) & 31U]);
  }
  return text;
}

} // namespace rb::age::bech32
