#include "set/directory.hpp"
#include "support/fault_disk.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::set;
using test::FaultDisk;

namespace {

const std::string k_name = "etcd-20261122T020000Z.snap.age";

/// A disk that gives back other bytes than it was given.
class LyingFs final : public Fs {
public:
  explicit LyingFs(FaultDisk& disk) : m_disk(disk), m_fs(disk.mount()) {}

  Result<std::unique_ptr<File>> create(const std::string& name) override {
    return m_fs->create(name);
  }
  Result<std::unique_ptr<File>> open_append(const std::string& name) override {
    return m_fs->open_append(name);
  }
  Result<std::unique_ptr<File>> open_read(const std::string& name) override {
    return m_fs->open_read(name);
  }
  Result<std::unique_ptr<File>> open_uncached(const std::string& name) override {
    Bytes content = m_disk.contents().at(name);
    content.at(content.size() / 2) ^= 1;
    m_disk.put(name, content);
    return m_fs->open_uncached(name);
  }
  Status rename_new(const std::string& from, const std::string& to) override {
    return m_fs->rename_new(from, to);
  }
  Status rename_over(const std::string& from, const std::string& to) override {
    return m_fs->rename_over(from, to);
  }
  Status remove(const std::string& name) override { return m_fs->remove(name); }
  Status sync_directory() override { return m_fs->sync_directory(); }
  Result<std::vector<DirectoryEntry>> list() override { return m_fs->list(); }
  Result<Space> space() override { return m_fs->space(); }

private:
  FaultDisk& m_disk;
  std::unique_ptr<Fs> m_fs;
};

} // namespace

TEST_CASE("ArtifactWriter: the final name appears with commit, and with what was written") {
  FaultDisk disk;
  Directory directory(disk.mount(), "/backup");
  auto writer = ArtifactWriter::create(directory, k_name);
  REQUIRE(writer);
  REQUIRE(writer->write(as_bytes("hello ")));
  REQUIRE(writer->write(as_bytes("world")));
  CHECK(!disk.contents().contains(k_name));
  const auto stored = writer->commit();
  REQUIRE(stored);
  CHECK(stored->name == k_name);
  CHECK(stored->size_bytes == 11);
  CHECK(stored->sha256 == sha256(as_bytes("hello world")));
  CHECK(disk.contents().size() == 1);
  CHECK(as_text(disk.contents().at(k_name)) == "hello world");
}

TEST_CASE("ArtifactWriter: without commit nothing is left") {
  FaultDisk disk;
  Directory directory(disk.mount(), "/backup");
  {
    auto writer = ArtifactWriter::create(directory, k_name);
    REQUIRE(writer);
    REQUIRE(writer->write(as_bytes("half of it")));
    CHECK(disk.contents().contains(k_name + ".part"));
    const ArtifactWriter moved = std::move(*writer);
  }
  CHECK(disk.contents().empty());
}

TEST_CASE("ArtifactWriter never replaces a file") {
  FaultDisk disk;
  Directory directory(disk.mount(), "/backup");
  SUBCASE("that is there before") {
    disk.put(k_name, Bytes{1});
    const auto writer = ArtifactWriter::create(directory, k_name);
    REQUIRE(!writer);
    CHECK(writer.error().code == ErrorCode::already_exists);
  }
  SUBCASE("that appears while it writes") {
    auto writer = ArtifactWriter::create(directory, k_name);
    REQUIRE(writer);
    REQUIRE(writer->write(as_bytes("new")));
    disk.put(k_name, Bytes{1});
    const auto stored = writer->commit();
    REQUIRE(!stored);
    CHECK(stored.error().code == ErrorCode::already_exists);
  }
  CHECK(disk.contents().at(k_name) == Bytes{1});
}

TEST_CASE("ArtifactWriter: what is read back must be what was written") {
  FaultDisk disk;
  Directory directory(std::make_unique<LyingFs>(disk), "/backup");
  {
    auto writer = ArtifactWriter::create(directory, k_name);
    REQUIRE(writer);
    REQUIRE(writer->write(as_bytes("to be damaged")));
    const auto stored = writer->commit();
    REQUIRE(!stored);
    CHECK(stored.error().code == ErrorCode::corrupt);
    CHECK(stored.error().message ==
          "/backup/" + k_name + ".part: what was read back is not what was written");
  }
  CHECK(disk.contents().empty());
}

TEST_CASE("ArtifactWriter takes names of artifacts and manifests only") {
  FaultDisk disk;
  Directory directory(disk.mount(), "/backup");
  for (const char* name : {"notes.txt", "../etcd-20261122T020000Z.snap.age", "", ".last-backup"}) {
    const auto writer = ArtifactWriter::create(directory, name);
    REQUIRE(!writer);
    CHECK(writer.error().code == ErrorCode::invalid_argument);
  }
}

TEST_CASE("ArtifactWriter stops when it is told to, and leaves nothing") {
  FaultDisk disk;
  Directory directory(disk.mount(), "/backup");
  std::stop_source stop;
  stop.request_stop();
  {
    auto writer = ArtifactWriter::create(directory, k_name);
    REQUIRE(writer);
    REQUIRE(writer->write(as_bytes("x")));
    CHECK(writer->commit(stop.get_token()).error().code == ErrorCode::cancelled);
  }
  CHECK(disk.contents().empty());
}

TEST_CASE(
    "ArtifactWriter on a real file system: mode 0600 whatever the umask, more than one window") {
  const test::TemporaryDirectory temporary;
  auto directory = Directory::open(temporary.path());
  REQUIRE(directory);
  auto writer = ArtifactWriter::create(*directory, k_name);
  REQUIRE(writer);
  const Bytes block(1U << 20U, 0x5a);
  Sha256 expected;
  for (int i = 0; i < 200; ++i) { // three windows of 64 MiB
    REQUIRE(writer->write(block));
    expected.update(block);
  }
  CHECK(test::mode_of(temporary.file(k_name + ".part")) == "600");
  const auto stored = writer->commit();
  REQUIRE(stored);
  CHECK(stored->sha256 == expected.digest());
  CHECK(stored->size_bytes == 200U << 20U);
  CHECK(test::mode_of(temporary.file(k_name)) == "600");
}

TEST_CASE("replace_file replaces in one step, also over what a crash left") {
  FaultDisk disk;
  Directory directory(disk.mount(), "/backup");
  disk.put("state", Bytes{1});
  disk.put("state.part", Bytes{9, 9});
  REQUIRE(replace_file(directory, "state", Bytes{2, 3}));
  CHECK(disk.contents() == std::map<std::string, Bytes>{{"state", Bytes{2, 3}}});
}

TEST_CASE("replace_file that fails leaves the old content and no rest") {
  for (std::size_t call = 0; call < 5; ++call) {
    CAPTURE(call);
    FaultDisk disk;
    Directory directory(disk.mount(), "/backup");
    disk.put("state", Bytes{1});
    disk.arrange(test::Fault::no_space_once, call);
    const Status status = replace_file(directory, "state", Bytes{2});
    REQUIRE(!status);
    CHECK(status.error().code == ErrorCode::no_space);
    CHECK(disk.contents() == std::map<std::string, Bytes>{{"state", Bytes{1}}});
  }
}
