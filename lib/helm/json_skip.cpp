// Passes over a value as fast as memchr finds quotes: most of a release is text that nobody reads.
#include "helm/json_reader.hpp"

#include <array>
#include <vector>

namespace rb::helm {

namespace {

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

/// At the opening quote. A quote ends the string when an even number of backslashes precedes it.
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
