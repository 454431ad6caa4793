#include "base/bytes.hpp"

#include <openssl/crypto.h>

#include <array>

namespace rb {

namespace {

constexpr std::string_view k_hex_digits = "0123456789abcdef";
constexpr std::string_view k_base64_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t k_not_a_digit = 0xff;

constexpr std::array<std::uint8_t, 256> make_base64_values() {
  std::array<std::uint8_t, 256> values{};
  values.fill(k_not_a_digit);
  for (std::size_t i = 0; i < k_base64_digits.size(); ++i) {
    values[static_cast<std::uint8_t>(k_base64_digits[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}

constexpr auto k_base64_values = make_base64_values();

std::uint8_t hex_value(char digit) {
  if (digit >= '0' && digit <= '9') {
    return static_cast<std::uint8_t>(digit - '0');
  }
  if (digit >= 'a' && digit <= 'f') {
    return static_cast<std::uint8_t>(digit - 'a' + 10);
  }
  if (digit >= 'A' && digit <= 'F') {
    return static_cast<std::uint8_t>(digit - 'A' + 10);
  }
  return k_not_a_digit;
}

Error not_base64() {
  return {ErrorCode::corrupt, "not base64", {}};
}

} // namespace

void wipe(MutableByteView bytes) {
  if (!bytes.empty()) {
    OPENSSL_cleanse(bytes.data(), bytes.size());
  }
}

std::string to_hex(ByteView bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    text.push_back(k_hex_digits[byte >> 4U]);
    text.push_back(k_hex_digits[byte & 0x0fU]);
  }
  return text;
}

Result<Bytes> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) {
    return Error{ErrorCode::corrupt, "hexadecimal text of odd length", {}};
  }
  Bytes bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const std::uint8_t high = hex_value(text[i]);
    const std::uint8_t low = hex_value(text[i + 1]);
    if (high == k_not_a_digit || low == k_not_a_digit) {
      return Error{ErrorCode::corrupt, "not hexadecimal", {}};
    }
    bytes.push_back(static_cast<std::uint8_t>((high << 4U) | low));
  }
  return bytes;
}

std::string to_base64(ByteView bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t left = bytes.size() - i;
    const std::uint32_t group = (static_cast<std::uint32_t>(bytes[i]) << 16U) |
                                (left > 1 ? static_cast<std::uint32_t>(bytes[i + 1]) << 8U : 0U) |
                                (left > 2 ? static_cast<std::uint32_t>(bytes[i + 2]) : 0U);
    text.push_back(k_base64_digits[(group >> 18U) & 63U]);
    text.push_back(k_base64_digits[(group >> 12U) & 63U]);
    text.push_back(left > 1 ? k_base64_digits[(group >> 6U) & 63U] : '=');
    text.push_back(left > 2 ? k_base64_digits[group & 63U] : '=');
  }
  return text;
}

Result<Bytes> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) {
    return not_base64();
  }
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') {
    ++padding;
  }
  const std::string_view digits = text.substr(0, text.size() - padding);
  Bytes bytes;
  bytes.reserve(text.size() / 4 * 3);
  std::uint32_t pending = 0;
  unsigned pending_bits = 0;
  for (const char digit : digits) {
    const std::uint8_t value = k_base64_values[static_cast<std::uint8_t>(digit)];
    if (value == k_not_a_digit) {
      return not_base64();
    }
    pending = (pending << 6U) | value;
    pending_bits += 6;
    if (pending_bits >= 8) {
      pending_bits -= 8;
      bytes.push_back(static_cast<std::uint8_t>(pending >> pending_bits));
      pending &= (1U << pending_bits) - 1U;
    }
  }
  if (pending != 0) {
    return not_base64();
  }
  return bytes;
}

} // namespace rb
