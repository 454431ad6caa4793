// Holds: the data directory of a restore is found again, and nothing that isn't one is believed.
#include "restore/cluster/journal_place.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::cluster;

TEST_CASE("the data directory of the last restore is remembered") {
  const test::TemporaryDirectory temporary;
  const std::string file = temporary.file("rancher/restore.place");
  CHECK(remembered_place(file).empty());
  REQUIRE(remember_place("/data/k3s", file));
  CHECK(remembered_place(file) == "/data/k3s");
  CHECK(test::mode_of(file) == "600");
  REQUIRE(remember_place("/srv/other", file));
  CHECK(remembered_place(file) == "/srv/other");
}

TEST_CASE("a restore that left nothing is not remembered, and the one before it is again") {
  const test::TemporaryDirectory temporary;
  const std::string file = temporary.file("restore.place");
  REQUIRE(remember_place("/srv/other", file));
  REQUIRE(forget_place("/data/k3s", file));
  CHECK(remembered_place(file) == "/data/k3s");
  REQUIRE(forget_place({}, file));
  CHECK(remembered_place(file).empty());
  CHECK(forget_place({}, file)); // it is gone already
}

TEST_CASE("what is no absolute path on a line of its own is not believed") {
  const test::TemporaryDirectory temporary;
  const std::string file = temporary.file("place");
  for (const std::string text : {"", "\n", "data/k3s\n", "/data/k3s", "/a\n/b\n", "/a\n\n"}) {
    CAPTURE(text);
    test::write_file(file, text);
    CHECK(remembered_place(file).empty());
  }
  test::write_file(file, std::string_view("/a\0b\n", 5));
  CHECK(remembered_place(file).empty());
  test::write_file(file, "/" + std::string(5000, 'a') + "\n");
  CHECK(remembered_place(file).empty());
}

TEST_CASE("a place that can't be written to is an error") {
  const test::TemporaryDirectory temporary;
  test::write_file(temporary.file("file"), "");
  CHECK_FALSE(remember_place("/data/k3s", temporary.file("file/place")));
}
