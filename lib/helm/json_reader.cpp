#include "helm/json_reader.hpp"

#include <string>

namespace rb::helm {

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

} // namespace rb::helm
