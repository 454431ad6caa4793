#include "terminal/terminal_text.hpp"

#include <doctest/doctest.h>

#include <sstream>
#include <utility>

using namespace rb;

TEST_CASE("text that a reader can see passes as it is") {
  for (const std::string text :
       {"", "web-1.2.3+k3s1", "prüfung", "日本語", "a b", "🙂", "naïve"}) {
    CHECK(terminal_text(text) == text);
  }
}

TEST_CASE("no control, direction or invisible character reaches a terminal") {
  for (const std::string_view bad :
       {"\x1b",         "\n",           "\r",           "\t",           "\x01",
        "\x7f",         "\xc2\x80",
        "\xc2\x9b", // C1: CSI
        "\xc2\x9d", // C1: OSC
        "\xc2\x9f",     "\xc2\xad",     "\xd8\x9c",     "\xe2\x80\x8b", "\xe2\x80\x8d",
        "\xe2\x80\x8e", "\xe2\x80\x8f", "\xe2\x80\xa8", "\xe2\x80\xaa", "\xe2\x80\xae",
        "\xe2\x81\xa0", "\xe2\x81\xa6", "\xe2\x81\xa9", "\xef\xbb\xbf", "\xf3\xa0\x81\x81"}) {
    CAPTURE(bad);
    CHECK(terminal_text("a" + std::string(bad) + "b") == "a?b");
  }
  CHECK(terminal_text(std::string_view("a\0b", 3)) == "a?b");
}

TEST_CASE("each byte that is not UTF-8 becomes a question mark") {
  CHECK(terminal_text("a\xff") == "a?");
  CHECK(terminal_text("\x9b"
                      "31m") == "?31m");         // C1 as one byte
  CHECK(terminal_text("\xc0\x80") == "??");      // overlong NUL
  CHECK(terminal_text("\xed\xa0\x80") == "???"); // half of a pair
  CHECK(terminal_text("\xe2\x80") == "??");      // cut
  CHECK(terminal_text("\xf5\x80\x80\x80") == "????");
}

TEST_CASE("a long text is cut at a character") {
  CHECK(terminal_text("aaü", 3) == "aa...");
  CHECK(terminal_text("aaü", 4) == "aaü");
  CHECK(terminal_text("abc", 0) == "...");
}

TEST_CASE("the filter before a stream lets lines pass, and nothing of the rest") {
  std::ostringstream sink;
  {
    const TerminalGuard guard(sink, TerminalFilter::Controls::none);
    sink << "a\tb\n\x1b[31m" << '\xc3' << '\xbc' << "\xc2\x9b\r\xe2\x80\xae" << std::flush
         << "\xe2";
  }
  sink << "after";
  CHECK(sink.str() == "a\tb\n?[31mü????after");
}

TEST_CASE("on a terminal our own sequences pass, in whatever pieces they come") {
  std::ostringstream sink;
  {
    const TerminalGuard guard(sink, TerminalFilter::Controls::ours);
    sink << "\r\x1b[K\x1b"
         << "[1;31"
         << "mx\x1b[0m\x1b]0;title\x07\x1b[2J\x1b" << std::flush;
  }
  CHECK(sink.str() == "\r\x1b[K\x1b[1;31mx\x1b[0m?]0;title??[2J?");
}

namespace {

/// As stdout of the C library on a full disk: what cannot be written fails once, and is forgotten.
class FullDisk final : public std::streambuf {
protected:
  int_type overflow(int_type character) override {
    m_holds = true;
    return traits_type::not_eof(character);
  }
  std::streamsize xsputn(const char* /*text*/, std::streamsize size) override {
    m_holds = true;
    return size;
  }
  int sync() override { return std::exchange(m_holds, false) ? -1 : 0; }

private:
  bool m_holds = false;
};

} // namespace

TEST_CASE("what the filter could not hand on at its end, the stream tells") {
  FullDisk disk;
  std::ostream stream(&disk);
  {
    const TerminalGuard guard(stream, TerminalFilter::Controls::none);
    stream << "a result";
    CHECK(stream);
  }
  stream.flush();
  CHECK_FALSE(stream);
}
