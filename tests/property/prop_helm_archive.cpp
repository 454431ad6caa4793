// Random trees survive tar.gz; random damage never passes for a good archive.
#include "support/random.hpp"

#include "archive/entry_path.hpp"
#include "archive/tar_gz.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace rb;
using namespace rb::archive;

namespace {

std::string random_component(test::Random& random) {
  static constexpr std::string_view k_letters = "abcXYZ019-_. \\*'\"$~\xc3\xa9";
  const std::size_t length = random.below(12) == 0 ? 1 + random.below(250) : 1 + random.below(12);
  std::string text;
  while (text.size() < length) {
    text.push_back(k_letters[random.below(k_letters.size())]);
  }
  return text;
}

std::vector<Entry> random_entries(test::Random& random) {
  std::vector<Entry> entries;
  std::set<std::string> taken;
  for (std::size_t count = random.below(12); count > 0; --count) {
    std::string path = random_component(random);
    for (std::size_t depth = random.below(5); depth > 0; --depth) {
      path += "/" + random_component(random);
    }
    if (!check_entry_path(path) || !taken.insert(path).second) {
      continue;
    }
    SecretBytes content(random.below(30) == 0 ? random.below(100'000) : random.below(600));
    for (std::uint8_t& byte : content.span()) {
      byte = static_cast<std::uint8_t>(random.below(random.below(2) == 0 ? 256 : 3));
    }
    entries.push_back({.path = path,
                       .content = std::move(content),
                       .mode = static_cast<unsigned>(random.below(01000)),
                       .mtime = SystemTime(std::chrono::seconds(random.below(1ULL << 33U)))});
  }
  return entries;
}

void check_same(const std::vector<Entry>& read, const std::vector<Entry>& written) {
  REQUIRE(read.size() == written.size());
  for (std::size_t i = 0; i < read.size(); ++i) {
    CAPTURE(written[i].path);
    REQUIRE(read[i].path == written[i].path);
    REQUIRE(read[i].content.text() == written[i].content.text());
    REQUIRE(read[i].mode == written[i].mode);
    REQUIRE(read[i].mtime == written[i].mtime);
  }
}

} // namespace

TEST_CASE("entries come back as they were; a damaged archive is refused") {
  test::Random random = test::Random::seeded();
  CAPTURE(random.seed());
  for (int round = 0; round < 300; ++round) {
    const std::vector<Entry> entries = random_entries(random);
    const auto bytes = write_tar_gz(entries);
    if (!bytes) { // a file that is the directory of another one
      REQUIRE(bytes.error().code == ErrorCode::already_exists);
      continue;
    }
    const auto read = read_tar_gz(bytes->view());
    REQUIRE_MESSAGE(read.has_value(), read.error().message);
    check_same(*read, entries);

    Bytes damaged(bytes->view().begin(), bytes->view().end());
    damaged.resize(random.below(damaged.size()));
    REQUIRE_FALSE(read_tar_gz(damaged).has_value());
    damaged.assign(bytes->view().begin(), bytes->view().end());
    damaged[10 + random.below(damaged.size() - 10)] ^=
        static_cast<std::uint8_t>(1 + random.below(255));
    if (const auto other = read_tar_gz(damaged)) { // unused bits of the last deflate byte
      check_same(*other, entries);
    }
  }
}

TEST_CASE("whatever the tar inside says, no path leads out and no limit is passed") {
  test::Random random = test::Random::seeded();
  CAPTURE(random.seed());
  for (int round = 0; round < 1000; ++round) {
    std::vector<Entry> entries = random_entries(random);
    const auto bytes = write_tar_gz(entries);
    if (!bytes) {
      continue;
    }
    const auto plain = gunzip(bytes->view());
    Bytes tar(plain->view().begin(), plain->view().end());
    for (std::size_t count = 1 + random.below(4); count > 0; --count) {
      tar[random.below(tar.size())] = static_cast<std::uint8_t>(random.below(256));
    }
    const auto read =
        read_tar_gz(gzip(tar)->view(), {.max_entries = 20, .max_entry_bytes = 99'999});
    if (!read) {
      REQUIRE_FALSE(read.error().message.empty());
      continue;
    }
    for (const Entry& entry : *read) {
      REQUIRE(check_entry_path(entry.path).has_value());
      REQUIRE(entry.content.size() <= 99'999);
      REQUIRE(entry.mode <= 0777);
    }
  }
}
