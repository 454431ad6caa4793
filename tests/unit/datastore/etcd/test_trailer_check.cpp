#include "datastore/etcd/trailer_check.hpp"
#include "support/bolt_builder.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace rb;
using rb::etcd::TrailerCheck;

namespace {

Result<etcd::TrailerDigests> check_in_pieces(ByteView file, std::size_t piece) {
  TrailerCheck check;
  for (std::size_t at = 0; at < file.size(); at += piece) {
    check.update(file.subspan(at, std::min(piece, file.size() - at)));
  }
  return check.finish();
}

Bytes content(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<std::uint8_t>(i * 7 + i / 256);
  }
  return bytes;
}

} // namespace

TEST_CASE("TrailerCheck gives both digests, however the file is cut into pieces") {
  const Bytes database = content(2048);
  const Bytes file = test::with_trailer(database);
  for (const std::size_t piece : {1U, 5U, 31U, 32U, 33U, 63U, 64U, 512U, 2047U, 2048U, 5000U}) {
    CAPTURE(piece);
    const auto digests = check_in_pieces(file, piece);
    REQUIRE(digests);
    CHECK(digests->content == sha256(database));
    CHECK(digests->file == sha256(file));
    CHECK(digests->size_bytes == 2080);
  }
}

TEST_CASE("TrailerCheck refuses an empty file") {
  const auto digests = TrailerCheck().finish();
  REQUIRE(!digests);
  CHECK(digests.error().code == ErrorCode::corrupt);
  CHECK(digests.error().message == "etcd snapshot: the file is empty");
}

TEST_CASE("TrailerCheck refuses every truncation") {
  const Bytes file = test::with_trailer(content(1024));
  for (std::size_t size = 1; size < file.size(); ++size) {
    CAPTURE(size);
    const auto digests = check_in_pieces(ByteView(file).first(size), 100);
    REQUIRE(!digests);
    CHECK(digests.error().code == ErrorCode::corrupt);
  }
}

TEST_CASE("TrailerCheck refuses a digest without content") {
  const Bytes file = test::with_trailer({});
  CHECK(!check_in_pieces(file, 32));
}

TEST_CASE("TrailerCheck notices every flipped bit") {
  Bytes file = test::with_trailer(content(512));
  for (std::size_t bit = 0; bit < file.size() * 8; ++bit) {
    file[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    const auto digests = check_in_pieces(file, 4096);
    REQUIRE(!digests);
    CHECK(digests.error().message ==
          "etcd snapshot: the content does not have the digest that the file ends with");
    file[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
  }
}
