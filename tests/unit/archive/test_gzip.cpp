#include "archive/gzip.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace rb;
using archive::gunzip;
using archive::gzip;
using archive::GzipLimits;

namespace {

Bytes copy(const SecretBytes& bytes) {
  return {bytes.view().begin(), bytes.view().end()};
}

} // namespace

TEST_CASE("what is packed comes out again, and always as the same bytes") {
  for (const std::size_t size : {0U, 1U, 255U, 70'000U, 1'000'000U}) {
    std::string text;
    for (std::size_t i = 0; i < size; ++i) {
      text.push_back(static_cast<char>((i * i + i / 7) & 0xff));
    }
    const auto packed = gzip(as_bytes(text));
    REQUIRE(packed.has_value());
    CHECK(archive::looks_like_gzip(packed->view()));
    CHECK(copy(*packed) == copy(*gzip(as_bytes(text))));
    const auto plain = gunzip(packed->view());
    REQUIRE(plain.has_value());
    CHECK(plain->text() == text);
  }
}

TEST_CASE("the header tells neither time nor name (RFC 1952 section 2.3)") {
  const auto packed = gzip(as_bytes("x"));
  REQUIRE(packed->size() > 10);
  CHECK(packed->view()[3] == 0);
  for (std::size_t i = 4; i < 8; ++i) {
    CHECK(packed->view()[i] == 0);
  }
}

TEST_CASE("every truncation and every flipped bit of the body is noticed") {
  const std::string text = "values: [1, 2, 3], and some more text to pack\n";
  const Bytes whole = copy(*gzip(as_bytes(text)));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto plain = gunzip(ByteView(whole).first(size));
    REQUIRE_FALSE(plain.has_value());
    CHECK(plain.error().code == ErrorCode::corrupt);
  }
  for (std::size_t bit = 10 * 8; bit < whole.size() * 8; ++bit) {
    Bytes damaged = whole;
    damaged[bit / 8] = static_cast<std::uint8_t>(damaged[bit / 8] ^ (1U << (bit % 8)));
    const auto plain = gunzip(damaged);
    // Unused bits of the last deflate byte may flip without effect.
    if (plain.has_value()) {
      CHECK(plain->text() == text);
    }
  }
}

TEST_CASE("data after the end is refused") {
  Bytes packed = copy(*gzip(as_bytes("x")));
  packed.push_back(0);
  CHECK(gunzip(packed).error().message == "gzip: data after its end");
}

TEST_CASE("a bomb is stopped at the limit, and its size is in the message") {
  const auto bomb = gzip(as_bytes(std::string(5'000'000, '\0')));
  REQUIRE(bomb->size() < 6000);
  CHECK(gunzip(bomb->view()).has_value());

  const auto by_size = gunzip(bomb->view(), GzipLimits{.max_bytes = 4'999'999});
  REQUIRE_FALSE(by_size.has_value());
  CHECK(by_size.error().code == ErrorCode::unsupported);
  CHECK(by_size.error().message == "gzip: expands to more than 4999999 bytes");
  CHECK(gunzip(bomb->view(), GzipLimits{.max_bytes = 5'000'000}).has_value());

  const auto by_ratio =
      gunzip(bomb->view(), GzipLimits{.max_ratio = 200, .ratio_floor_bytes = 1'000'000});
  REQUIRE_FALSE(by_ratio.has_value());
  CHECK(by_ratio.error().code == ErrorCode::unsupported);
}

TEST_CASE("a trailer that lies about the length costs no memory and is found out") {
  Bytes packed = copy(*gzip(as_bytes("short")));
  for (std::size_t i = packed.size() - 4; i < packed.size(); ++i) {
    packed[i] = 0xff;
  }
  CHECK(gunzip(packed).error().code == ErrorCode::corrupt);
}

TEST_CASE("what is not gzip is said to be so") {
  CHECK(gunzip(as_bytes("plain text, longer than a header")).error().message == "gzip: not gzip");
  CHECK_FALSE(archive::looks_like_gzip(as_bytes("\x1f\x8b")));
}
