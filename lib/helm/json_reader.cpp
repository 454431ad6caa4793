#include "helm/json_reader.hpp"

#include <array>
#include <string>
#include <vector>

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

constexpr std::size_t k_skip_depth_limit = 10'000; // as Go's encoding/json, which Helm uses

/// Whether a byte outside of strings opens or closes something.
constexpr std::array<bool, 256> make_structural() {
  std::array<bool, 256> structural{};
  for (const char c : std::string_view("\"{}[]")) {
    structural[static_cast<unsigned char>(c)] = true;
  }
  return structural;
}

constexpr auto k_structural = make_structural();

} // namespace

bool JsonReader::fail(std::string_view why) {
  if (m_failure.empty()) {
    m_failure = why;
  }
  return false;
}

Error JsonReader::error() const {
  return {ErrorCode::corrupt,
          "bad json: " + std::string(m_failure) + " at byte " + std::to_string(m_at),
          {}};
}

void JsonReader::skip_space() {
  while (m_at < m_text.size() && (m_text[m_at] == ' ' || m_text[m_at] == '\n' ||
                                  m_text[m_at] == '\r' || m_text[m_at] == '\t')) {
    ++m_at;
  }
}

bool JsonReader::take(char expected, std::string_view why) {
  if (failed()) {
    return false;
  }
  skip_space();
  if (m_at >= m_text.size()) {
    return fail("it ends early");
  }
  if (m_text[m_at] != expected) {
    return fail(why);
  }
  ++m_at;
  return true;
}

JsonKind JsonReader::kind() {
  if (failed()) {
    return JsonKind::invalid;
  }
  skip_space();
  if (m_at >= m_text.size()) {
    fail("it ends early");
    return JsonKind::invalid;
  }
  const char c = m_text[m_at];
  if (c == '-' || (c >= '0' && c <= '9')) {
    return JsonKind::number;
  }
  switch (c) {
  case '{':
    return JsonKind::object;
  case '[':
    return JsonKind::list;
  case '"':
    return JsonKind::string;
  case 'n':
    return JsonKind::null;
  case 't':
  case 'f':
    return JsonKind::boolean;
  default:
    fail("a value is expected");
    return JsonKind::invalid;
  }
}

bool JsonReader::open_object() {
  m_just_opened = take('{', "an object is expected");
  return m_just_opened;
}

bool JsonReader::open_list() {
  m_just_opened = take('[', "a list is expected");
  return m_just_opened;
}

/// True before a further element, after its comma; false at the closing bracket or on a failure.
bool JsonReader::separator(char closing) {
  if (failed()) {
    return false;
  }
  skip_space();
  if (m_at < m_text.size() && m_text[m_at] == closing) {
    ++m_at;
    m_just_opened = false;
    return false;
  }
  if (m_just_opened) {
    m_just_opened = false;
    return true;
  }
  return take(',', "a comma is expected");
}

bool JsonReader::next_key(std::string_view& raw_key) {
  if (!separator('}')) {
    return false;
  }
  raw_key = string();
  return take(':', "a colon is expected");
}

bool JsonReader::next_item() {
  return separator(']');
}

bool JsonReader::finish() {
  if (failed()) {
    return false;
  }
  skip_space();
  return m_at == m_text.size() || fail("data after its end");
}

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

/// At the opening quote; as fast as memchr finds quotes, for most of a release is text that nobody
/// reads. A quote ends the string when an even number of backslashes precedes it.
bool JsonReader::skip_string() {
  const std::size_t begin = m_at + 1;
  std::size_t end = begin;
  while (true) {
    end = m_text.find('"', end);
    if (end == std::string_view::npos) {
      m_at = m_text.size();
      return fail("it ends early");
    }
    std::size_t backslashes = 0;
    while (end - backslashes > begin && m_text[end - backslashes - 1] == '\\') {
      ++backslashes;
    }
    if (backslashes % 2 == 0) {
      m_at = end + 1;
      return true;
    }
    ++end;
  }
}

std::string_view JsonReader::skip() {
  const JsonKind first = kind();
  const std::size_t begin = m_at;
  if (first == JsonKind::null || first == JsonKind::boolean) {
    return literal();
  }
  if (first == JsonKind::number) {
    return number();
  }
  std::vector<char> closing;
  while (!failed()) {
    while (m_at < m_text.size() && !k_structural[static_cast<unsigned char>(m_text[m_at])]) {
      ++m_at;
    }
    if (m_at == m_text.size()) {
      fail("it ends early");
      break;
    }
    const char c = m_text[m_at];
    if (c == '"') {
      skip_string();
    } else if (c == '{' || c == '[') {
      closing.push_back(c == '{' ? '}' : ']');
      ++m_at;
    } else if (closing.empty() || closing.back() != c) {
      fail("a bracket that does not match");
    } else {
      closing.pop_back();
      ++m_at;
    }
    if (closing.empty() && !failed()) {
      return m_text.substr(begin, m_at - begin);
    }
    if (closing.size() > k_skip_depth_limit) {
      fail("nested too deep");
    }
  }
  return {};
}

} // namespace rb::helm
