#include "helm/base64.hpp"

#include "base/secret_buffer.hpp"

#include <array>

namespace rb::helm {

namespace {

constexpr std::string_view k_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint32_t k_bad = 0x80000000U;

using Table = std::array<std::uint32_t, 256>;

/// The value of each digit, moved to its place in a group of 24 bits.
constexpr Table make_table(unsigned shift) {
  Table table{};
  table.fill(k_bad);
  for (std::size_t i = 0; i < k_digits.size(); ++i) {
    table[static_cast<std::uint8_t>(k_digits[i])] = static_cast<std::uint32_t>(i) << shift;
  }
  return table;
}

constexpr std::array<Table, 4> k_tables{
    make_table(18), make_table(12), make_table(6), make_table(0)};

std::uint32_t group(const char* digits) {
  const auto value = [&](std::size_t i) {
    return k_tables[i][static_cast<std::uint8_t>(digits[i])];
  };
  return value(0) | value(1) | value(2) | value(3);
}

Error not_base64() {
  return {ErrorCode::corrupt, "bad base64: not base64, or cut off", {}};
}

/// `text` has neither line breaks nor padding that does not end it.
Result<SecretBytes> decode_groups(std::string_view text) {
  if (text.size() % 4 != 0) {
    return not_base64();
  }
  if (text.empty()) {
    return SecretBytes();
  }
  const std::size_t padding = text.ends_with("==") ? 2 : (text.ends_with('=') ? 1 : 0);
  SecretBytes bytes(text.size() / 4 * 3 - padding);
  std::uint8_t* out = bytes.data();
  const std::size_t whole = text.size() - (padding == 0 ? 0 : 4);
  std::uint32_t seen = 0;
  for (std::size_t i = 0; i < whole; i += 4) {
    const std::uint32_t bits = group(text.data() + i);
    seen |= bits;
    *out++ = static_cast<std::uint8_t>(bits >> 16U);
    *out++ = static_cast<std::uint8_t>(bits >> 8U);
    *out++ = static_cast<std::uint8_t>(bits);
  }
  if (padding != 0) {
    std::array<char, 4> last{'A', 'A', 'A', 'A'};
    text.substr(whole, 4 - padding).copy(last.data(), last.size());
    const std::uint32_t bits = group(last.data());
    seen |= bits;
    *out++ = static_cast<std::uint8_t>(bits >> 16U);
    if (padding == 1) {
      *out = static_cast<std::uint8_t>(bits >> 8U);
    }
  }
  if ((seen & k_bad) != 0) {
    return not_base64();
  }
  return bytes;
}

} // namespace

Result<SecretBytes> decode_base64(std::string_view text) {
  if (text.find('\n') == std::string_view::npos &&
      text.find('\r') == std::string_view::npos) { // two memchr
    return decode_groups(text);
  }
  SecretBuffer joined(text.size());
  for (const char c : text) {
    if (c != '\r' && c != '\n') {
      joined.append(c);
    }
  }
  return decode_groups(joined.text());
}

} // namespace rb::helm
