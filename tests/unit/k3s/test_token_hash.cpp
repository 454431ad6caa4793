#include "k3s/token_hash.hpp"

#include <doctest/doctest.h>

using namespace rb::k3s;

TEST_CASE("the hash is that of the password part, as k3s names its bootstrap key") {
  // printf %s 5ecret | sha256sum | cut -c1-12
  const std::string hash = token_hash("5ecret");
  CHECK(hash == "f65da3a06da0");
  CHECK(token_hash("K10aa::server:5ecret\n") == hash);
  CHECK(token_hash(" 5ecret \n") == hash);
  CHECK(token_hash("K10aa::5ecret") == hash);
  CHECK(token_hash("K10aa::server:a:b") == token_hash("a:b"));
}

TEST_CASE("no token, no hash") {
  CHECK(token_hash("").empty());
  CHECK(token_hash("\n").empty());
  CHECK(token_hash("K10aa::server:").empty());
}
