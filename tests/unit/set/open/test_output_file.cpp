#include "set/output_file.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

#include <filesystem>

using namespace rb;
using set::OutputFile;
using test::TemporaryDirectory;

TEST_CASE("OutputFile: no name before commit, and none without it") {
  const TemporaryDirectory temporary;
  {
    auto file = OutputFile::create(temporary.file("out"), false);
    REQUIRE(file);
    REQUIRE(file->write(as_bytes("secret")));
    CHECK(!std::filesystem::exists(temporary.file("out")));
  }
  CHECK(std::filesystem::is_empty(temporary.path()));
}

TEST_CASE("OutputFile: a file that appears meanwhile is not replaced") {
  const TemporaryDirectory temporary;
  {
    auto file = OutputFile::create(temporary.file("out"), false);
    REQUIRE(file);
    test::write_file(temporary.file("out"), "first");
    const Status status = file->commit();
    REQUIRE(!status);
    CHECK(status.error().code == ErrorCode::already_exists);
  }
  CHECK(test::read_file(temporary.file("out")) == "first");
}

TEST_CASE("OutputFile: --force does not follow a link, and refuses what is no file") {
  const TemporaryDirectory temporary;
  test::write_file(temporary.file("victim"), "precious");
  std::filesystem::create_symlink("victim", temporary.file("link"));
  std::filesystem::create_directory(temporary.file("directory"));
  CHECK(!OutputFile::create(temporary.file("link"), true));
  CHECK(!OutputFile::create(temporary.file("link"), false));
  CHECK(!OutputFile::create(temporary.file("directory"), true));
  CHECK(!OutputFile::create(temporary.file("directory/"), true));
  CHECK(test::read_file(temporary.file("victim")) == "precious");
}

TEST_CASE("OutputFile: mode 0600 whatever the umask") {
  const TemporaryDirectory temporary;
  const mode_t before = ::umask(0);
  auto file = OutputFile::create(temporary.file("out"), true);
  ::umask(before);
  REQUIRE(file);
  REQUIRE(file->commit());
  CHECK(test::mode_of(temporary.file("out")) == "600");
}
