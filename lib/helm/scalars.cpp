#include "helm/scalars.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

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

struct CodePoint {
  std::uint32_t value = 0;
  std::size_t length = 0; ///< In bytes; 0: not UTF-8 (RFC 3629) here.
};

/// Of the bytes at the beginning of `text`, which is not empty.
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

/// U+FFFD for what is not a code point.
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

/// Words that some reading of YAML takes for a value that is not a string (YAML 1.1 type
/// repository: bool, null, float), in lower case; whatever their case, they are quoted.
constexpr std::array<std::string_view, 12> k_reserved_words{
    "y", "n", "yes", "no", "on", "off", "true", "false", "null", "inf", "nan", "infinity"};

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_plain_character(char c) {
  return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == '/' ||
         c == '@' || c == '+';
}

bool is_reserved(std::string_view text) {
  return std::any_of(k_reserved_words.begin(), k_reserved_words.end(), [&](std::string_view word) {
    return std::equal(text.begin(), text.end(), word.begin(), word.end(), [](char c, char lower) {
      return (c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) == lower;
    });
  });
}

/// `inner`: characters that may stand between two plain ones.
bool is_plain_with(std::string_view text, std::string_view inner) {
  if (text.empty() || !(is_letter(text.front()) || text.front() == '/') ||
      !is_plain_character(text.back()) || is_reserved(text)) {
    return false;
  }
  for (std::size_t i = 1; i + 1 < text.size(); ++i) {
    const bool good = is_plain_character(text[i]) ||
                      (inner.find(text[i]) != std::string_view::npos &&
                       is_plain_character(text[i - 1]) && is_plain_character(text[i + 1]));
    if (!good) {
      return false;
    }
  }
  return true;
}

/// May stand as it is in a YAML stream, a line feed and a tab aside. YAML 1.1 takes U+0085, U+2028
/// and U+2029 for line breaks, and U+FEFF for a byte order mark.
bool is_printable(std::uint32_t c) {
  return (c >= 0x20 && c < 0x7f) || (c >= 0xa0 && c < 0xd800 && c != 0x2028 && c != 0x2029) ||
         (c >= 0xe000 && c < 0xfffe && c != 0xfeff) || (c >= 0x10000 && (c & 0xfffeU) != 0xfffe);
}

void append_escape(BoundedText& out, std::uint32_t c) {
  switch (c) {
  case '"':
    return out.append("\\\"");
  case '\\':
    return out.append("\\\\");
  case '\n':
    return out.append("\\n");
  case '\r':
    return out.append("\\r");
  case '\t':
    return out.append("\\t");
  default:
    break;
  }
  const unsigned digits = c < 0x100 ? 2 : (c < 0x10000 ? 4 : 8);
  out.append(digits == 2 ? "\\x" : (digits == 4 ? "\\u" : "\\U"));
  for (unsigned i = digits; i-- > 0;) {
    out.append("0123456789ABCDEF"[(c >> (4 * i)) & 0xfU]);
  }
}

bool has_text(std::string_view line) {
  return line.empty() || line.find_first_not_of(" \t") != std::string_view::npos;
}

} // namespace

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

bool is_plain(std::string_view text) {
  return is_plain_with(text, " :");
}

bool is_plain_key(std::string_view text) {
  return is_plain_with(text, "");
}

bool is_block(std::string_view text) {
  if (text.find('\n') == std::string_view::npos || text.front() == ' ' || text.front() == '\t' ||
      text.front() == '\n' || text.ends_with("\n\n")) {
    return false;
  }
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (!has_text(text.substr(begin, end - begin))) {
      return false;
    }
    begin = end + 1;
  }
  while (!text.empty()) {
    const CodePoint c = first_code_point(text);
    if (c.length == 0 || !(is_printable(c.value) || c.value == '\n' || c.value == '\t')) {
      return false;
    }
    text.remove_prefix(c.length);
  }
  return true;
}

void append_quoted(BoundedText& out, std::string_view text) {
  out.append('"');
  std::size_t clean = 0; // bytes at the front that may stand as they are
  while (clean < text.size()) {
    const CodePoint c = first_code_point(text.substr(clean));
    const std::size_t length = std::max<std::size_t>(c.length, 1);
    if (c.length != 0 && is_printable(c.value) && c.value != '"' && c.value != '\\') {
      clean += length;
      continue;
    }
    out.append(text.substr(0, clean));
    append_escape(out, c.length == 0 ? 0xfffd : c.value);
    text.remove_prefix(clean + length);
    clean = 0;
  }
  out.append(text);
  out.append('"');
}

void append_number(BoundedText& out, std::string_view number) {
  const std::size_t e = number.find_first_of("eE");
  out.append(number.substr(0, e));
  if (e == std::string_view::npos) {
    return;
  }
  if (number.substr(0, e).find('.') == std::string_view::npos) {
    out.append(".0");
  }
  out.append('e');
  if (number[e + 1] != '+' && number[e + 1] != '-') {
    out.append('+');
  }
  out.append(number.substr(e + 1));
}

} // namespace rb::helm
