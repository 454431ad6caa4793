// Small steps of reading text that every room takes. Pure.
#pragma once

#include <charconv>
#include <cstddef>
#include <optional>
#include <string_view>
#include <system_error>

namespace rb {

/// Without the white space of ASCII around it; a view into it.
[[nodiscard]] inline std::string_view trimmed(std::string_view text) {
  constexpr std::string_view k_blank = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(k_blank);
  return begin == std::string_view::npos
             ? std::string_view()
             : text.substr(begin, text.find_last_not_of(k_blank) - begin + 1);
}

/// Its beginning, at most `limit_bytes`, never a part of a character of UTF-8.
[[nodiscard]] inline std::string_view cut_to(std::string_view text, std::size_t limit_bytes) {
  std::size_t end = limit_bytes;
  while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) {
    --end;
  }
  return text.substr(0, end);
}

/// The number that the whole text is, in digits, with a '-' where the type has one. Nothing for any
/// other text, and where it does not fit.
template <typename Number>
[[nodiscard]] std::optional<Number> whole_number(std::string_view text, int base = 10) {
  Number number{};
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number, base);
  return read.ec == std::errc() && read.ptr == end ? std::optional(number) : std::nullopt;
}

} // namespace rb
