#include "helm/json_string.hpp"

#include <charconv>

namespace rb::helm {

namespace {

constexpr std::uint32_t k_replacement = 0xfffd;

bool is_high_surrogate(std::uint32_t unit) {
  return unit >= 0xd800 && unit < 0xdc00;
}

bool is_low_surrogate(std::uint32_t unit) {
  return unit >= 0xdc00 && unit < 0xe000;
}

std::uint32_t hex_unit(std::string_view four_digits) {
  std::uint32_t value = 0;
  std::from_chars(four_digits.data(), four_digits.data() + four_digits.size(), value, 16);
  return value;
}

/// The bytes of a sequence, by its first byte; 0 for a byte that begins none.
std::size_t sequence_length(unsigned char first) {
  if (first < 0x80) {
    return 1;
  }
  if (first >= 0xc2 && first < 0xe0) {
    return 2;
  }
  if (first >= 0xe0 && first < 0xf0) {
    return 3;
  }
  return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

/// At an escape; returns its length.
std::size_t append_escape(SecretBuffer& out, std::string_view raw) {
  constexpr std::string_view k_letters = "bfnrt";
  constexpr std::string_view k_meanings = "\b\f\n\r\t";
  if (raw[1] != 'u') {
    const std::size_t at = k_letters.find(raw[1]);
    out.append(at == std::string_view::npos ? raw[1] : k_meanings[at]);
    return 2;
  }
  const std::uint32_t unit = hex_unit(raw.substr(2, 4));
  if (is_high_surrogate(unit) && raw.size() >= 12 && raw[6] == '\\' && raw[7] == 'u') {
    const std::uint32_t second = hex_unit(raw.substr(8, 4));
    if (is_low_surrogate(second)) {
      append_utf8(out, 0x10000 + ((unit - 0xd800) << 10U) + (second - 0xdc00));
      return 12;
    }
  }
  append_utf8(out, unit);
  return 6;
}

} // namespace

CodePoint first_code_point(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::size_t length = sequence_length(byte(0));
  if (length <= 1) {
    return {byte(0), length};
  }
  if (text.size() < length) {
    return {};
  }
  std::uint32_t value = byte(0) & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) {
      return {};
    }
    value = (value << 6U) | (byte(i) & 0x3fU);
  }
  const bool overlong = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
  if (overlong || value > 0x10ffff || is_high_surrogate(value) || is_low_surrogate(value)) {
    return {};
  }
  return {value, length};
}

void append_utf8(SecretBuffer& out, std::uint32_t code_point) {
  if (code_point > 0x10ffff || is_high_surrogate(code_point) || is_low_surrogate(code_point)) {
    code_point = k_replacement;
  }
  const auto tail = [&](unsigned shift) {
    out.append(static_cast<char>(0x80U | ((code_point >> shift) & 0x3fU)));
  };
  if (code_point < 0x80) {
    out.append(static_cast<char>(code_point));
  } else if (code_point < 0x800) {
    out.append(static_cast<char>(0xc0U | (code_point >> 6U)));
    tail(0);
  } else if (code_point < 0x10000) {
    out.append(static_cast<char>(0xe0U | (code_point >> 12U)));
    tail(6);
    tail(0);
  } else {
    out.append(static_cast<char>(0xf0U | (code_point >> 18U)));
    tail(12);
    tail(6);
    tail(0);
  }
}

bool is_decoded(std::string_view raw) {
  while (!raw.empty()) {
    if (raw.front() == '\\') {
      return false;
    }
    const std::size_t length = first_code_point(raw).length;
    if (length == 0) {
      return false;
    }
    raw.remove_prefix(length);
  }
  return true;
}

void append_decoded(SecretBuffer& out, std::string_view raw) {
  while (!raw.empty()) {
    std::size_t length = 0;
    if (raw.front() == '\\') {
      length = append_escape(out, raw);
    } else if (length = first_code_point(raw).length; length != 0) {
      out.append(raw.substr(0, length));
    } else {
      append_utf8(out, k_replacement);
      length = 1;
    }
    raw.remove_prefix(length);
  }
}

} // namespace rb::helm
