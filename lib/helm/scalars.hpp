// Strings and numbers on their way from JSON to YAML: decoded as Go's encoding/json decodes them,
// because `helm get values` shows what Go makes of them (whatever is not UTF-8, and each half of a
// surrogate pair that stands alone, becomes U+FFFD), and written so that no parser takes them for
// anything else. Private to this room.
#pragma once

#include "base/secret_bytes.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace rb::helm {

/// The raw text is the decoded one: no escapes, nothing but UTF-8.
[[nodiscard]] bool is_decoded(std::string_view raw);

/// `raw` as JsonReader::string() gives it.
void append_decoded(SecretBuffer& out, std::string_view raw);

/// A secret text that stops growing at a limit: a release of a few kilobytes can hold values that
/// take a gigabyte when they are indented. What would pass the limit is dropped, and with it all
/// that follows.
class BoundedText {
public:
  BoundedText(std::size_t capacity_bytes, std::size_t limit_bytes)
      : m_buffer(std::min(capacity_bytes, limit_bytes)), m_limit(limit_bytes) {}

  void append(std::string_view text) {
    if (admits(text.size())) {
      m_buffer.append(text);
    }
  }
  void append(char byte) { append(std::string_view(&byte, 1)); }
  void append(std::size_t count, char byte) {
    if (admits(count)) {
      m_buffer.append(count, byte);
    }
  }

  /// Something was dropped.
  [[nodiscard]] bool overflowed() const { return m_overflowed; }
  [[nodiscard]] std::string_view text() const { return m_buffer.text(); }
  [[nodiscard]] SecretBytes take() && { return std::move(m_buffer).take(); }

private:
  bool admits(std::size_t bytes) {
    m_overflowed = m_overflowed || bytes > m_limit - m_buffer.size();
    return !m_overflowed;
  }

  SecretBuffer m_buffer;
  std::size_t m_limit;
  bool m_overflowed = false;
};

/// May stand without quotes as a value in block context. Deliberately narrow: it begins with a
/// letter or '/', and no reading of YAML 1.1 or 1.2 makes it a boolean, null, number or date.
[[nodiscard]] bool is_plain(std::string_view text);

/// As is_plain, as a key.
[[nodiscard]] bool is_plain_key(std::string_view text);

/// May stand as a literal block ("|" or "|-"): several lines of printable text; no line of white
/// space only, nothing that needs an indentation indicator or "|+".
[[nodiscard]] bool is_block(std::string_view text);

/// In double quotes, on one line. Everything is escaped that YAML 1.1 or 1.2 does not take as it is
/// (YAML 1.2.2 section 5.7), NEL, LS, PS and BOM included.
void append_quoted(BoundedText& out, std::string_view text);

/// `number` as JSON writes it, as a text that YAML 1.1 takes for a number, too: 1e21 is a string
/// to a YAML 1.1 parser, 1.0e+21 is not.
void append_number(BoundedText& out, std::string_view number);

} // namespace rb::helm
