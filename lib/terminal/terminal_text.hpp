// Text from a backup set, the API or a file, as it may reach a terminal or a log. The one place
// that knows which characters must not: nothing else in the project decides it.
#pragma once

#include <cstddef>
#include <ostream>
#include <streambuf>
#include <string>
#include <string_view>

namespace rb {

/// `text` as one line that cannot upset a terminal or deceive its reader. One '?' stands for each
/// control character (C0 with line ends and tabs, DEL, C1), each character that changes the
/// direction of text or cannot be seen (bidi controls, zero-width ones, other line ends, tags), and
/// each byte that is not UTF-8.
[[nodiscard]] std::string terminal_text(std::string_view text);

/// The same, cut at a character to at most `limit_bytes`, with "..." where it was cut.
[[nodiscard]] std::string terminal_text(std::string_view text, std::size_t limit_bytes);

/// The last filter before a terminal, for what some line forgot: as terminal_text, but line ends
/// and tabs pass. On a terminal our own sequences do, too: to redraw a line, and colours.
class TerminalFilter final : public std::streambuf {
public:
  enum class Controls { none, ours };

  TerminalFilter(std::streambuf& target, Controls controls)
      : m_target(target), m_controls(controls) {}

protected:
  int_type overflow(int_type character) override;
  std::streamsize xsputn(const char* text, std::streamsize size) override;
  int sync() override;

private:
  bool feed(std::string_view bytes);
  bool drain(bool last);

  std::streambuf& m_target;
  Controls m_controls;
  std::string m_pending; ///< The beginning of a character or sequence.
};

/// Puts the filter before a stream for as long as this lives.
class TerminalGuard {
public:
  TerminalGuard(std::ostream& stream, TerminalFilter::Controls controls);
  ~TerminalGuard();
  TerminalGuard(const TerminalGuard&) = delete;
  TerminalGuard& operator=(const TerminalGuard&) = delete;
  TerminalGuard(TerminalGuard&&) = delete;
  TerminalGuard& operator=(TerminalGuard&&) = delete;

private:
  std::ostream& m_stream;
  std::streambuf* m_target;
  TerminalFilter m_filter;
};

} // namespace rb
