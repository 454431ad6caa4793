#include "age/typed_text.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace rb::age {

namespace {

/// Beyond ASCII, in UTF-8: U+0085, U+00A0, U+1680, U+2000 to U+200A, U+2028, U+2029, U+202F,
/// U+205F, U+3000.
constexpr std::array<std::string_view, 19> k_wide_blanks{"\xC2\x85",
                                                         "\xC2\xA0",
                                                         "\xE1\x9A\x80",
                                                         "\xE2\x80\x80",
                                                         "\xE2\x80\x81",
                                                         "\xE2\x80\x82",
                                                         "\xE2\x80\x83",
                                                         "\xE2\x80\x84",
                                                         "\xE2\x80\x85",
                                                         "\xE2\x80\x86",
                                                         "\xE2\x80\x87",
                                                         "\xE2\x80\x88",
                                                         "\xE2\x80\x89",
                                                         "\xE2\x80\x8A",
                                                         "\xE2\x80\xA8",
                                                         "\xE2\x80\xA9",
                                                         "\xE2\x80\xAF",
                                                         "\xE2\x81\x9F",
                                                         "\xE3\x80\x80"};

enum class End { front, back };

/// The bytes of the blank at that end; 0: there is none.
std::size_t blank_bytes(std::string_view text, End end) {
  constexpr std::string_view k_blanks = " \t\r\n\v\f";
  if (text.empty()) {
    return 0;
  }
  if (k_blanks.find(end == End::front ? text.front() : text.back()) != std::string_view::npos) {
    return 1;
  }
  const auto* const found =
      std::find_if(k_wide_blanks.begin(), k_wide_blanks.end(), [&](std::string_view blank) {
        return end == End::front ? text.starts_with(blank) : text.ends_with(blank);
      });
  return found == k_wide_blanks.end() ? 0 : found->size();
}

} // namespace

std::string_view trimmed(std::string_view text) {
  while (blank_bytes(text, End::front) != 0) {
    text.remove_prefix(blank_bytes(text, End::front));
  }
  while (blank_bytes(text, End::back) != 0) {
    text.remove_suffix(blank_bytes(text, End::back));
  }
  return text;
}

std::string_view without_byte_order_mark(std::string_view text) {
  constexpr std::string_view k_mark = "\xEF\xBB\xBF";
  text.remove_prefix(text.starts_with(k_mark) ? k_mark.size() : 0);
  return text;
}

bool is_utf16(std::string_view text) {
  return text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF");
}

bool holds_key(std::string_view text, std::string_view begin) {
  constexpr std::size_t k_least = 16;
  for (std::size_t at = text.find(begin); at != std::string_view::npos; at = text.find(begin, at)) {
    at += begin.size();
    const std::size_t end =
        std::min(text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-", at), text.size());
    if (end - at >= k_least) {
      return true;
    }
  }
  return false;
}

} // namespace rb::age
