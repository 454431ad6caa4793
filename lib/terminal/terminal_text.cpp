#include "terminal/terminal_text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace rb {

namespace {

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

constexpr std::array<Range, 13> k_harmful{{
    {0x00, 0x1f},
    {0x7f, 0x9f},     // DEL, C1
    {0xad, 0xad},     // soft hyphen
    {0x61c, 0x61c},   // Arabic letter mark
    {0x180e, 0x180e}, // Mongolian vowel separator
    {0x200b, 0x200f}, // zero-width, and marks of direction
    {0x2028, 0x202e}, // line ends, embeddings and overrides of direction
    {0x2060, 0x206f}, // word joiner, isolates, deprecated format characters
    {0x3164, 0x3164}, // Hangul filler
    {0xfeff, 0xfeff}, // byte order mark
    {0xfff9, 0xfffb}, // annotations between lines
    {0x1d173, 0x1d17a},
    {0xe0000, 0xe007f}, // tags
}};

bool is_harmful(std::uint32_t c) {
  return std::ranges::any_of(k_harmful, [c](Range r) { return c >= r.first && c <= r.last; });
}

struct Unit {
  std::size_t length = 1;
  bool harmless = false;
  bool cut = false; ///< More bytes could make it whole.
};

std::size_t length_by(std::uint8_t lead) {
  if (lead < 0x80) {
    return 1;
  }
  if (lead >= 0xc2 && lead < 0xe0) {
    return 2;
  }
  if (lead >= 0xe0 && lead < 0xf0) {
    return 3;
  }
  return lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
}

bool is_scalar(std::uint32_t c, std::size_t length) {
  constexpr std::array<std::uint32_t, 5> k_least{0, 0, 0x80, 0x800, 0x10000};
  return c >= k_least.at(length) && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
}

/// The character that `text`, which is not empty, begins with; one byte where it is none.
Unit next_unit(std::string_view text) {
  const auto lead = static_cast<std::uint8_t>(text.front());
  const std::size_t length = length_by(lead);
  if (length == 0) {
    return {};
  }
  std::uint32_t c = length == 1 ? lead : lead & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if (i == text.size()) {
      return {1, false, true};
    }
    const auto byte = static_cast<std::uint8_t>(text[i]);
    if ((byte & 0xc0U) != 0x80U) {
      return {};
    }
    c = (c << 6U) | (byte & 0x3fU);
  }
  return is_scalar(c, length) ? Unit{length, !is_harmful(c), false} : Unit{};
}

constexpr std::size_t k_sequence_limit = 16;

/// ESC [ digits and ';' then 'K' (erase to the end of the line) or 'm' (colour).
Unit own_sequence(std::string_view text) {
  for (std::size_t i = 1; i < k_sequence_limit; ++i) {
    if (i == text.size()) {
      return {1, false, true};
    }
    const char c = text[i];
    if (i == 1 ? c == '[' : (c >= '0' && c <= '9') || c == ';') {
      continue;
    }
    return i > 1 && (c == 'K' || c == 'm') ? Unit{i + 1, true, false} : Unit{};
  }
  return {};
}

} // namespace

std::string terminal_text(std::string_view text) {
  return terminal_text(text, std::string_view::npos);
}

std::string terminal_text(std::string_view text, std::size_t limit_bytes) {
  std::string shown;
  while (!text.empty()) {
    const Unit unit = next_unit(text);
    if (shown.size() + unit.length > limit_bytes) {
      return shown + "...";
    }
    shown += unit.harmless ? text.substr(0, unit.length) : std::string_view("?");
    text.remove_prefix(unit.length);
  }
  return shown;
}

TerminalFilter::int_type TerminalFilter::overflow(int_type character) {
  if (traits_type::eq_int_type(character, traits_type::eof())) {
    return traits_type::not_eof(character);
  }
  const char c = traits_type::to_char_type(character);
  return feed({&c, 1}) ? character : traits_type::eof();
}

std::streamsize TerminalFilter::xsputn(const char* text, std::streamsize size) {
  return feed({text, static_cast<std::size_t>(size)}) ? size : 0;
}

int TerminalFilter::sync() {
  const bool drained = drain(true);
  return m_target.pubsync() == 0 && drained ? 0 : -1;
}

bool TerminalFilter::feed(std::string_view bytes) {
  m_pending += bytes;
  return drain(false);
}

bool TerminalFilter::drain(bool last) {
  std::string_view rest = m_pending;
  std::string shown;
  while (!rest.empty()) {
    const char c = rest.front();
    const bool ours = m_controls == Controls::ours && (c == '\r' || c == '\x1b');
    Unit unit = ours && c == '\x1b' ? own_sequence(rest) : next_unit(rest);
    unit.harmless = unit.harmless || c == '\n' || c == '\t' || (ours && c == '\r');
    if (unit.cut && !last) {
      break;
    }
    shown += unit.harmless ? rest.substr(0, unit.length) : std::string_view("?");
    rest.remove_prefix(unit.length);
  }
  m_pending.erase(0, m_pending.size() - rest.size());
  const auto size = static_cast<std::streamsize>(shown.size());
  return m_target.sputn(shown.data(), size) == size;
}

TerminalGuard::TerminalGuard(std::ostream& stream, TerminalFilter::Controls controls)
    : m_stream(stream), m_target(stream.rdbuf()), m_filter(*m_target, controls) {
  const auto state = m_stream.rdstate();
  m_stream.rdbuf(&m_filter); // clears the state
  m_stream.setstate(state);
}

TerminalGuard::~TerminalGuard() {
  // What could not go out now the buffer may have forgotten by the next time.
  const bool gone = m_filter.pubsync() == 0;
  const auto state = m_stream.rdstate() | (gone ? std::ios::goodbit : std::ios::badbit);
  m_stream.rdbuf(m_target);
  m_stream.setstate(state);
}

} // namespace rb
