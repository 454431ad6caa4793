#include "base/digest.hpp"

#include <doctest/doctest.h>

using namespace rb;

TEST_CASE("sha256 holds the examples of FIPS 180-4") {
  CHECK(to_hex(sha256(as_bytes("abc"))) ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(to_hex(sha256({})) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST_CASE("a digest may be taken in the middle of the stream") {
  Sha256 context;
  context.update(as_bytes("ab"));
  CHECK(context.digest() == sha256(as_bytes("ab")));
  context.update(as_bytes("c"));
  CHECK(context.digest() == sha256(as_bytes("abc")));
}
