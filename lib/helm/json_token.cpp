// Strings, numbers and words.
#include "helm/json_reader.hpp"

namespace rb::helm {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// The length of the escape that begins at `at` (a backslash), or 0.
std::size_t escape_length(std::string_view text, std::size_t at) {
  if (at + 1 >= text.size()) {
    return 0;
  }
  if (text[at + 1] != 'u') {
    return std::string_view("\"\\/bfnrt").find(text[at + 1]) != std::string_view::npos ? 2 : 0;
  }
  if (at + 6 > text.size()) {
    return 0;
  }
  for (std::size_t i = at + 2; i < at + 6; ++i) {
    if (!is_hex(text[i])) {
      return 0;
    }
  }
  return 6;
}

std::size_t digits(std::string_view text, std::size_t at) {
  while (at < text.size() && is_digit(text[at])) {
    ++at;
  }
  return at;
}

} // namespace

std::string_view JsonReader::string() {
  if (!take('"', "a string is expected")) {
    return {};
  }
  const std::size_t begin = m_at;
  while (m_at < m_text.size() && m_text[m_at] != '"') {
    if (static_cast<unsigned char>(m_text[m_at]) < 0x20) {
      fail("a control character in a string");
      return {};
    }
    const std::size_t length = m_text[m_at] == '\\' ? escape_length(m_text, m_at) : 1;
    if (length == 0) {
      fail("a bad escape");
      return {};
    }
    m_at += length;
  }
  if (m_at >= m_text.size()) {
    fail("it ends early");
    return {};
  }
  return m_text.substr(begin, m_at++ - begin);
}

std::string_view JsonReader::number() {
  if (kind() != JsonKind::number) {
    fail("a number is expected");
    return {};
  }
  const std::size_t begin = m_at;
  std::size_t at = begin + (m_text[begin] == '-' ? 1 : 0);
  bool good = at < m_text.size() && is_digit(m_text[at]);
  at = good && m_text[at] == '0' ? at + 1 : digits(m_text, at);
  if (good && at < m_text.size() && m_text[at] == '.') {
    const std::size_t end = digits(m_text, at + 1);
    good = end > at + 1;
    at = end;
  }
  if (good && at < m_text.size() && (m_text[at] == 'e' || m_text[at] == 'E')) {
    const bool sign = at + 1 < m_text.size() && (m_text[at + 1] == '+' || m_text[at + 1] == '-');
    const std::size_t first = at + (sign ? 2 : 1);
    at = digits(m_text, first);
    good = at > first;
  }
  if (!good || (at < m_text.size() && is_digit(m_text[at]))) {
    fail("a bad number");
    return {};
  }
  m_at = at;
  return m_text.substr(begin, at - begin);
}

std::string_view JsonReader::literal() {
  if (kind() == JsonKind::invalid) {
    return {};
  }
  for (const std::string_view word : {"null", "true", "false"}) {
    if (m_text.substr(m_at).starts_with(word)) {
      m_at += word.size();
      return word;
    }
  }
  fail("a bad word");
  return {};
}

} // namespace rb::helm
