#include "age/armor.hpp"

#include <algorithm>
#include <string>

namespace rb::age {

namespace {

constexpr std::size_t k_columns = 64;
constexpr std::size_t k_white_space_limit = 1024;
constexpr std::string_view k_white_space = " \t\n\v\f\r";

bool is_blank(std::string_view text) {
  return text.find_first_not_of(k_white_space) == std::string_view::npos;
}

} // namespace

Result<bool> looks_armored(BufferedSource& source) {
  constexpr std::string_view k_start = "-----BEGIN";
  RB_TRY_ASSIGN(const ByteView bytes, source.peek(k_white_space_limit + k_start.size()));
  std::string_view text = as_text(bytes);
  text.remove_prefix(std::min(text.find_first_not_of(k_white_space), text.size()));
  return text.starts_with(k_start);
}

Error ArmorSource::bad(std::string_view what) {
  m_damaged = true;
  return {ErrorCode::corrupt, "armor: " + std::string(what), {}};
}

/// Without its LF or CRLF.
Result<std::string> ArmorSource::next_line() {
  RB_TRY_ASSIGN(std::string line, m_source.read_line(k_white_space_limit));
  if (line.empty()) {
    return bad("cut off before its last line");
  }
  if (line.size() > k_white_space_limit) {
    return bad("a line is too long");
  }
  if (line.ends_with('\n')) {
    line.pop_back();
    if (line.ends_with('\r')) {
      line.pop_back();
    }
  }
  return line;
}

Status ArmorSource::begin() {
  std::size_t skipped = 0;
  for (;;) {
    RB_TRY_ASSIGN(const std::string line, next_line());
    if (line == k_armor_begin) {
      m_state = State::inside;
      return {};
    }
    if (!is_blank(line)) {
      return bad("malformed first line");
    }
    skipped += line.size() + 1;
    if (skipped > k_white_space_limit) {
      return bad("too much white space before it");
    }
  }
}

Status ArmorSource::decode_line() {
  RB_TRY_ASSIGN(const std::string line, next_line());
  if (line == k_armor_end) {
    return end();
  }
  if (m_state == State::last_line_read) {
    return bad("a short line before the last one");
  }
  if (line.empty()) {
    return bad("an empty line inside");
  }
  if (line.size() > k_columns) {
    return bad("a line is longer than 64 columns");
  }
  const auto bytes = from_base64(line);
  if (!bytes) {
    return bad("a line is not base64");
  }
  std::copy(bytes->begin(), bytes->end(), m_line.begin());
  m_line_begin = 0;
  m_line_end = bytes->size();
  if (bytes->size() < m_line.size()) {
    m_state = State::last_line_read;
  }
  return {};
}

Status ArmorSource::end() {
  std::array<std::uint8_t, k_white_space_limit> rest{};
  RB_TRY_ASSIGN(const std::size_t count, m_source.read(rest));
  if (!is_blank(as_text(ByteView(rest).first(count)))) {
    return bad("data after its last line");
  }
  if (count == rest.size()) {
    return bad("too much white space after it");
  }
  m_state = State::ended;
  return {};
}

Result<std::size_t> ArmorSource::read(MutableByteView buffer) {
  if (m_state == State::before) {
    RB_TRY(begin());
  }
  std::size_t filled = 0;
  while (filled < buffer.size()) {
    if (m_line_begin == m_line_end) {
      if (m_state == State::ended) {
        break;
      }
      RB_TRY(decode_line());
      continue;
    }
    const std::size_t count = std::min(buffer.size() - filled, m_line_end - m_line_begin);
    std::copy_n(m_line.begin() + static_cast<std::ptrdiff_t>(m_line_begin),
                count,
                buffer.begin() + static_cast<std::ptrdiff_t>(filled));
    m_line_begin += count;
    filled += count;
  }
  return filled;
}

} // namespace rb::age
