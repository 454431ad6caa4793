#include "archive/entry_path.hpp"

#include <doctest/doctest.h>

using namespace rb;
using archive::check_entry_path;

TEST_CASE("a relative path of plain components may stand in an archive") {
  for (const char* path :
       {"a", "a/b", "default/app.yaml", "a b/c", "..a/b..", "-x", "caf\xc3\xa9"}) {
    CAPTURE(path);
    CHECK(check_entry_path(path).has_value());
  }
}

TEST_CASE("a path that leads out of the directory, or nowhere, is refused") {
  using namespace std::string_view_literals;
  for (const std::string_view path : {""sv,
                                      "/etc/passwd"sv,
                                      "/"sv,
                                      "../x"sv,
                                      "../../etc/cron.d/x"sv,
                                      "a/../../x"sv,
                                      "a/.."sv,
                                      "."sv,
                                      "./a"sv,
                                      "a//b"sv,
                                      "a/"sv,
                                      "a\nb"sv,
                                      "a\0b"sv,
                                      "\x1b[2J"sv,
                                      "a\x7f"sv}) {
    CAPTURE(path);
    const Status status = check_entry_path(path);
    REQUIRE_FALSE(status.has_value());
    CHECK(status.error().code == ErrorCode::invalid_argument);
  }
}

TEST_CASE("the lengths that a file system takes are the limit") {
  CHECK(check_entry_path(std::string(255, 'a')).has_value());
  CHECK_FALSE(check_entry_path(std::string(256, 'a')).has_value());
  std::string deep;
  for (int i = 0; i < 511; ++i) {
    deep += "a/";
  }
  CHECK(check_entry_path(deep + "bb").has_value());
  CHECK_FALSE(check_entry_path(deep + "bbb").has_value());
}

TEST_CASE("a message about a path never upsets a terminal and stays short") {
  const Status status = check_entry_path("../\x1b[31m" + std::string(5000, 'x'));
  REQUIRE_FALSE(status.has_value());
  CHECK(status.error().message.find('\x1b') == std::string::npos);
  CHECK(status.error().message.size() < 200);
  CHECK(check_entry_path("").error().message == "(empty): unsafe path: it is empty");
  CHECK(check_entry_path("/etc").error().message == "/etc: unsafe path: it is absolute");
}
