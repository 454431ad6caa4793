#include "unit/age/support.hpp"

#include "age/armor.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::age;

namespace {

struct Decoded {
  Status status;
  Bytes bytes;
  bool damaged = false;
};

Decoded decode(std::string_view text, std::size_t step = 1000) {
  MemorySource memory(as_bytes(text));
  BufferedSource file(memory);
  ArmorSource armor(file);
  Decoded decoded;
  Bytes buffer(step);
  for (;;) {
    auto got = armor.read(buffer);
    if (!got) {
      decoded.status = std::move(got).error();
      break;
    }
    decoded.bytes.insert(
        decoded.bytes.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(*got));
    if (*got < step) {
      break;
    }
  }
  decoded.damaged = armor.damaged();
  return decoded;
}

std::string wrapped(const std::string& lines) {
  return std::string(k_armor_begin) + "\n" + lines + std::string(k_armor_end) + "\n";
}

} // namespace

TEST_CASE("ArmorSource: gives the bytes back at every length and step") {
  for (const std::size_t size : {0UL, 1UL, 2UL, 3UL, 47UL, 48UL, 49UL, 96UL, 97UL, 10000UL}) {
    for (const std::size_t step : {1UL, 7UL, 48UL, 4096UL}) {
      CAPTURE(size);
      CAPTURE(step);
      const Bytes bytes = test::pattern(size);
      for (const char* newline : {"\n", "\r\n"}) {
        const Decoded decoded = decode(test::armored(bytes, newline), step);
        CHECK(decoded.status);
        CHECK(decoded.bytes == bytes);
      }
    }
  }
}

TEST_CASE("ArmorSource: white space around is allowed, up to 1 KiB on each side") {
  const Bytes bytes = test::pattern(100);
  const std::string text = test::armored(bytes);
  CHECK(decode(" \t\r\n\n" + text + " \r\n\v\f\t").bytes == bytes);
  CHECK(decode(text.substr(0, text.size() - 1)).bytes == bytes);
  CHECK(decode(std::string(1024, '\n') + text).status);
  CHECK(decode(std::string(1025, '\n') + text).status.error().message ==
        "armor: too much white space before it");
  CHECK(decode(text + std::string(1023, '\n')).status);
  CHECK(decode(text + std::string(1024, '\n')).status.error().message ==
        "armor: too much white space after it");
}

TEST_CASE("ArmorSource: refuses what is not strict, and says what") {
  struct Case {
    std::string text;
    std::string_view message;
  };
  const std::string full(64, 'A');
  for (const Case& c : {
           Case{"", "armor: cut off before its last line"},
           Case{"hello\n", "armor: malformed first line"},
           Case{" " + wrapped(""), "armor: malformed first line"},
           Case{std::string(k_armor_begin) + " \n", "armor: malformed first line"},
           Case{std::string(k_armor_begin) + "\n" + full + "\n",
                "armor: cut off before its last line"},
           Case{wrapped("\n"), "armor: an empty line inside"},
           Case{wrapped(full + "A\n"), "armor: a line is longer than 64 columns"},
           Case{wrapped("AAAA\nAAAA\n"), "armor: a short line before the last one"},
           Case{wrapped("AAAA\n\n"), "armor: a short line before the last one"},
           Case{wrapped("AAA\n"), "armor: a line is not base64"},
           Case{wrapped("AAB=\n"), "armor: a line is not base64"},
           Case{wrapped("AA==\r\r\n"), "armor: a line is not base64"},
           Case{wrapped(" AAAA\n"), "armor: a line is not base64"},
           Case{wrapped("AA_-\n"), "armor: a line is not base64"},
           Case{wrapped("AAAA\n") + "x", "armor: data after its last line"},
           Case{wrapped("AAAA\n") + wrapped("AAAA\n"), "armor: data after its last line"},
           Case{std::string(2000, 'x'), "armor: a line is too long"},
       }) {
    CAPTURE(c.text);
    const Decoded decoded = decode(c.text);
    REQUIRE_FALSE(decoded.status);
    CHECK(decoded.damaged);
    CHECK(decoded.status.error().code == ErrorCode::corrupt);
    CHECK(decoded.status.error().message == c.message);
  }
}

TEST_CASE("ArmorSource: a failure of the source is not damage of the armor") {
  test::FailingSource failing(0);
  BufferedSource file(failing);
  ArmorSource armor(file);
  Bytes buffer(10);
  const auto got = armor.read(buffer);
  REQUIRE_FALSE(got);
  CHECK(got.error().code == ErrorCode::io);
  CHECK_FALSE(armor.damaged());
}

TEST_CASE("looks_armored: takes nothing and sees through white space") {
  const std::string text = "\n \t" + test::armored(test::pattern(3));
  MemorySource memory(as_bytes(text));
  BufferedSource file(memory);
  CHECK(looks_armored(file).value());
  Bytes all(text.size());
  CHECK(file.read(all).value() == text.size());
  CHECK(as_text(all) == text);

  for (const char* other : {"", "age-encryption.org/v1\n", "   "}) {
    MemorySource other_memory(as_bytes(other));
    BufferedSource other_file(other_memory);
    CHECK_FALSE(looks_armored(other_file).value());
  }
}
