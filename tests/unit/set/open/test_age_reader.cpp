#include "set/age_reader.hpp"
#include "set/directory.hpp"
#include "support/backup_fixture.hpp"
#include "support/sets.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace rb;
using set::AgeReader;
using test::BackupFixture;

namespace {

struct ReaderFixture : BackupFixture {
  std::string name = "etcd-20260101T000000Z.snap.age";

  std::unique_ptr<File> sealed(const std::string& plain) {
    test::write_file(backups() + "/" + name, encrypt(plain));
    return open();
  }
  std::unique_ptr<File> open() {
    auto directory = set::Directory::open_existing(backups());
    REQUIRE(directory);
    auto file = directory->fs().open_read(name);
    REQUIRE(file);
    return std::move(*file);
  }
  std::span<const age::Identity> identities() { return {&identity(), 1}; }
};

std::string noise(std::size_t size, std::mt19937& random) {
  std::string text(size, '\0');
  for (char& c : text) {
    c = static_cast<char>(random());
  }
  return text;
}

} // namespace

TEST_CASE_FIXTURE(ReaderFixture, "AgeReader reads at any offset what was encrypted") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (const std::size_t size : {0U, 1U, 65535U, 65536U, 65537U, 131072U, 400'001U}) {
    CAPTURE(size);
    const std::string plain = noise(size, random);
    const auto file = sealed(plain);
    const auto reader = AgeReader::open(*file, identities());
    REQUIRE(reader);
    CHECK((*reader)->size() == size);
    for (int i = 0; i < 50; ++i) {
      const std::size_t offset = random() % (size + 1);
      Bytes buffer(std::min<std::size_t>(size - offset, random() % 200'000));
      REQUIRE((*reader)->read(offset, buffer));
      REQUIRE(as_text(buffer) == std::string_view(plain).substr(offset, buffer.size()));
    }
    Bytes beyond(2);
    CHECK(!(*reader)->read(size == 0 ? 0 : size - 1, beyond));
    CHECK(!(*reader)->read(~std::uint64_t{0}, beyond));
  }
}

TEST_CASE_FIXTURE(ReaderFixture, "AgeReader lets go of chunks and finds them again") {
  std::mt19937 random(1);
  const std::string plain = noise((AgeReader::k_chunks_kept + 20) << 16U, random);
  const auto file = sealed(plain);
  const auto reader = AgeReader::open(*file, identities());
  REQUIRE(reader);
  for (int round = 0; round < 2; ++round) {
    for (std::size_t offset = 0; offset < plain.size(); offset += 65536) {
      Bytes buffer(16);
      REQUIRE((*reader)->read(offset, buffer));
      REQUIRE(as_text(buffer) == std::string_view(plain).substr(offset, 16));
    }
  }
}

TEST_CASE_FIXTURE(ReaderFixture, "AgeReader gives out nothing that was altered") {
  std::mt19937 random(2);
  const std::string path = backups() + "/" + name;
  static_cast<void>(sealed(noise(200'000, random)));
  std::string bad = test::read_file(path);
  bad[bad.size() - 150'000] = static_cast<char>(bad[bad.size() - 150'000] ^ 1);
  test::write_file(path, bad);
  const auto file = open();
  const auto reader = AgeReader::open(*file, identities());
  REQUIRE(reader);
  Bytes all(200'000);
  const Status status = (*reader)->read(0, all);
  REQUIRE(!status);
  CHECK(status.error().code == ErrorCode::corrupt);
}
