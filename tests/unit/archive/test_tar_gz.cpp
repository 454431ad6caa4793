#include "foreign_tar.hpp"

#include "archive/tar_gz.hpp"
#include "base/process.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace rb;
using namespace rb::archive;

namespace {

constexpr SystemTime k_time{std::chrono::seconds(1'795'348'336)}; // 2026-11-22T11:52:16Z

Entry entry(std::string path, std::string_view content, unsigned mode = 0600) {
  return {std::move(path), SecretBytes(as_bytes(content)), mode, k_time};
}

std::vector<Entry> three_files() {
  std::vector<Entry> entries;
  entries.push_back(entry("default/app.yaml", "a: 1\n"));
  entries.push_back(entry("index.json", "{}", 0644));
  entries.push_back(entry("empty", ""));
  return entries;
}

Result<std::vector<Entry>> read_foreign(const Bytes& tar, const Limits& limits = {}) {
  return read_tar_gz(gzip(tar)->view(), limits);
}

} // namespace

TEST_CASE("entries come back as they were, in order") {
  const std::vector<Entry> written = three_files();
  const auto bytes = write_tar_gz(written);
  REQUIRE(bytes.has_value());
  const auto read = read_tar_gz(bytes->view());
  REQUIRE(read.has_value());
  REQUIRE(read->size() == written.size());
  for (std::size_t i = 0; i < written.size(); ++i) {
    CHECK((*read)[i].path == written[i].path);
    CHECK((*read)[i].content.text() == written[i].content.text());
    CHECK((*read)[i].mode == written[i].mode);
    CHECK((*read)[i].mtime == k_time);
  }
}

TEST_CASE("equal entries give equal bytes") {
  const auto once = write_tar_gz(three_files());
  const auto again = write_tar_gz(three_files());
  CHECK(once->text() == again->text());
}

TEST_CASE("an archive without entries is an archive") {
  const auto bytes = write_tar_gz({});
  REQUIRE(bytes.has_value());
  CHECK(read_tar_gz(bytes->view())->empty());
}

TEST_CASE("long names, names that are not ASCII or not UTF-8, and large files survive") {
  std::vector<Entry> entries;
  const std::string long_path = std::string(200, 'n') + "/" + std::string(250, 'r') + ".yaml";
  entries.push_back(entry(long_path, "x"));
  entries.push_back(entry("caf\xc3\xa9/\xe2\x82\xac", "y"));
  entries.push_back(entry(std::string(120, 'z') + "\xc3\xa9", "y"));
  entries.push_back(entry("latin-1-\xe9", "y"));
  entries.push_back(entry("large", std::string(3'000'000, 'v')));
  const auto bytes = write_tar_gz(entries);
  REQUIRE(bytes.has_value());
  const auto read = read_tar_gz(bytes->view());
  REQUIRE_MESSAGE(read.has_value(), read.error().message);
  REQUIRE(read->size() == entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    CHECK((*read)[i].path == entries[i].path);
    CHECK((*read)[i].content.text() == entries[i].content.text());
  }
}

TEST_CASE("stock tar lists what was written") {
  std::string name = "/tmp/archive-test-XXXXXX";
  REQUIRE(mkdtemp(name.data()) != nullptr);
  const std::filesystem::path directory = name;
  const auto bytes = write_tar_gz(three_files());
  std::ofstream(directory / "t.tar.gz", std::ios::binary) << bytes->text();
  RealProcessRunner runner;
  const auto result = runner.run({.program = "/usr/bin/tar",
                                  .arguments = {"--utc", "-tvzf", directory / "t.tar.gz"},
                                  .environment = {{"PATH", "/usr/bin:/bin"}}},
                                 {});
  std::filesystem::remove_all(directory);
  REQUIRE(result.has_value());
  CHECK(result->err == "");
  CHECK(result->out == "-rw------- 0/0               5 2026-11-22 11:52 default/app.yaml\n"
                       "-rw-r--r-- 0/0               2 2026-11-22 11:52 index.json\n"
                       "-rw------- 0/0               0 2026-11-22 11:52 empty\n");
}

TEST_CASE("what must not be written is refused before anything is made") {
  const auto code = [](std::vector<Entry> entries) { return write_tar_gz(entries).error().code; };
  std::vector<Entry> entries;
  entries.push_back(entry("../x", ""));
  CHECK(code(std::move(entries)) == ErrorCode::invalid_argument);
  entries.clear();
  entries.push_back(entry("x", "", 04755));
  CHECK(code(std::move(entries)) == ErrorCode::invalid_argument);
  entries.clear();
  entries.push_back(entry("x", ""));
  entries.push_back(entry("x", ""));
  CHECK(code(std::move(entries)) == ErrorCode::already_exists);
  entries.clear();
  entries.push_back(entry("x/y", ""));
  entries.push_back(entry("x", ""));
  CHECK(code(std::move(entries)) == ErrorCode::already_exists);
}

TEST_CASE("links, devices and paths that climb are refused when read") {
  struct Case {
    test::ForeignEntry entry;
    ErrorCode code;
  };
  const Case cases[] = {
      {{.path = "../x"}, ErrorCode::invalid_argument},
      {{.path = "/etc/passwd"}, ErrorCode::invalid_argument},
      {{.path = "a/../../b"}, ErrorCode::invalid_argument},
      {{.path = "link", .type = '2', .link = "/etc/passwd"}, ErrorCode::unsupported},
      {{.path = "hard", .type = '1', .link = "../x"}, ErrorCode::unsupported},
      {{.path = "tty", .type = '3'}, ErrorCode::unsupported},
      {{.path = "disk", .type = '4'}, ErrorCode::unsupported},
      {{.path = "fifo", .type = '6'}, ErrorCode::unsupported},
      {{.path = "../d", .type = '5'}, ErrorCode::invalid_argument},
  };
  for (const Case& item : cases) {
    CAPTURE(item.entry.path);
    const auto read =
        read_foreign(test::foreign_tar({{.path = "good", .content = "1"}, item.entry}));
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().code == item.code);
  }
}

TEST_CASE("directories of other people's archives are left out, their files read") {
  const auto read = read_foreign(
      test::foreign_tar({{.path = "d/", .type = '5'}, {.path = "d/file", .content = "text"}}));
  REQUIRE(read.has_value());
  REQUIRE(read->size() == 1);
  CHECK(read->front().path == "d/file");
  CHECK(read->front().content.text() == "text");
}

TEST_CASE("a path given twice is refused: which one counts would be a guess") {
  const auto read = read_foreign(
      test::foreign_tar({{.path = "a", .content = "1"}, {.path = "a", .content = "2"}}));
  REQUIRE_FALSE(read.has_value());
  CHECK(read.error().message == "tar: a appears twice");
}

TEST_CASE("each limit holds") {
  const Bytes tar = test::foreign_tar(
      {{.path = "a", .content = std::string(1000, 'x')}, {.path = "b", .content = "y"}});
  CHECK(read_foreign(tar, {.max_entries = 2, .max_entry_bytes = 1000, .gzip = {}}).has_value());
  CHECK(read_foreign(tar, {.max_entries = 1, .gzip = {}}).error().code == ErrorCode::unsupported);
  CHECK(read_foreign(tar, {.max_entry_bytes = 999, .gzip = {}}).error().code ==
        ErrorCode::unsupported);
  CHECK(read_foreign(tar, {.gzip = {.max_bytes = tar.size() - 1}}).error().code ==
        ErrorCode::unsupported);
}

TEST_CASE("a tar that ends early is noticed, even at the edge of a file") {
  const Bytes tar =
      test::foreign_tar({{.path = "a", .content = "1"}, {.path = "b", .content = "2"}});
  for (const std::size_t size : {std::size_t{0},
                                 std::size_t{512},
                                 std::size_t{1024},
                                 std::size_t{1536},
                                 std::size_t{2048},
                                 tar.size() - 512}) {
    CAPTURE(size);
    const auto read = read_foreign(Bytes(tar.begin(), tar.begin() + static_cast<long>(size)));
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().code == ErrorCode::corrupt);
  }
}

TEST_CASE("a long name that is not UTF-8 is read, whatever failed before") {
  std::vector<Entry> entries(1);
  entries[0].path = std::string(200, 'x') + "\xa9";
  const auto bytes = write_tar_gz(entries);
  REQUIRE(bytes);
  errno = ENOMEM;
  const auto read = read_tar_gz(bytes->view());
  REQUIRE(read);
  CHECK(read->at(0).path == entries[0].path);
}
