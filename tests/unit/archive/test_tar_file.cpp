#include "support/scratch.hpp"

#include "archive/tar_file.hpp"
#include "archive/tar_gz.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::archive;

namespace {

std::string entry(const std::string& name, const std::string& content) {
  std::string text(as_text(tar_header(name, content.size())));
  text += content;
  return text.append(
      (k_tar_record_bytes - content.size() % k_tar_record_bytes) % k_tar_record_bytes, '\0');
}

const std::string k_end(2 * k_tar_record_bytes, '\0');

} // namespace

TEST_CASE("small files are read, large ones are passed over") {
  const test::Scratch scratch;
  scratch.write("a.tar",
                entry("index.json", "{}") + entry("large", std::string(5000, 'x')) +
                    entry("empty", "") + k_end);
  const auto files = read_small_files(scratch.path("a.tar"), {.max_file_bytes = 4000});
  REQUIRE(files);
  CHECK(*files == std::map<std::string, std::string>{{"empty", ""}, {"index.json", "{}"}});
}

TEST_CASE("an archive that is cut off anywhere is damaged, also in what is passed over") {
  const test::Scratch scratch;
  const std::string whole =
      entry("index.json", "{}") + entry("large", std::string(200'000, 'x')) + k_end;
  for (const std::size_t size :
       {std::size_t{1}, std::size_t{600}, std::size_t{1700}, whole.size() / 2}) {
    CAPTURE(size);
    scratch.write("a.tar", whole.substr(0, size));
    const auto files = read_small_files(scratch.path("a.tar"), {.max_file_bytes = 4000});
    REQUIRE_FALSE(files);
    CHECK(files.error().code == ErrorCode::corrupt);
  }
}

TEST_CASE("what is no tar archive, not there, or without end is refused") {
  const test::Scratch scratch;
  scratch.write("text", "a text\n");
  scratch.write("empty", "");
  CHECK(read_small_files(scratch.path("text")).error().code == ErrorCode::corrupt);
  CHECK(read_small_files(scratch.path("empty")).error().code == ErrorCode::corrupt);
  CHECK(read_small_files(scratch.path("none")).error().code == ErrorCode::not_found);
  std::string many;
  for (int number = 0; number < 20; ++number) {
    many += entry("file-" + std::to_string(number), "content");
  }
  scratch.write("many", many + k_end);
  CHECK(read_small_files(scratch.path("many"), {.max_entries = 10}).error().code ==
        ErrorCode::unsupported);
  CHECK(read_small_files(scratch.path("many"), {.max_total_bytes = 30}).error().code ==
        ErrorCode::unsupported);
}
