#include "set/unpack.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

using namespace rb;
using archive::Entry;
using set::write_tree;

namespace {

struct TreeFixture {
  test::TemporaryDirectory temporary;
  std::string to = temporary.file("to");
  std::string outside = temporary.file("outside");

  static std::vector<Entry> entries(const std::vector<std::string>& paths) {
    std::vector<Entry> all;
    for (const std::string& path : paths) {
      all.emplace_back();
      all.back().path = path;
      all.back().content = SecretBytes(as_bytes("of " + path));
    }
    return all;
  }
  static unsigned mode_of(const std::string& path) {
    struct stat status {};
    REQUIRE(::lstat(path.c_str(), &status) == 0);
    return status.st_mode & 07777U;
  }
  [[nodiscard]] std::size_t files() const {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(to)) {
      count += entry.is_directory() ? 0U : 1U;
    }
    return count;
  }
};

} // namespace

TEST_CASE_FIXTURE(TreeFixture, "write_tree keeps modes and times, and makes private directories") {
  auto all = entries({"etc/k3s/config.yaml", "run.sh", "s"});
  all[0].mode = 0644;
  all[0].mtime = SystemTime(std::chrono::seconds(1'700'000'000));
  all[1].mode = 0750;
  all[2].mode = 06777;
  const mode_t before = ::umask(0077);
  const Status written = write_tree(to, all, false);
  ::umask(before);
  REQUIRE(written);
  CHECK(mode_of(to) == 0700);
  CHECK(mode_of(to + "/etc") == 0700);
  CHECK(mode_of(to + "/etc/k3s/config.yaml") == 0644);
  CHECK(mode_of(to + "/run.sh") == 0750);
  CHECK(mode_of(to + "/s") == 0777); // no set-user-id from an archive
  CHECK(test::read_file(to + "/run.sh") == "of run.sh");
  struct stat status {};
  REQUIRE(::stat((to + "/etc/k3s/config.yaml").c_str(), &status) == 0);
  CHECK(status.st_mtime == 1'700'000'000);
  CHECK(files() == 3);
}

TEST_CASE_FIXTURE(TreeFixture, "write_tree writes nothing when a path is hostile") {
  for (const std::vector<std::string>& paths : {std::vector<std::string>{"good", "../evil"},
                                                {"good", "/etc/evil"},
                                                {"good", "a/../../evil"},
                                                {"good", "a//b"},
                                                {"good", "a/./b"},
                                                {"good", ""},
                                                {"good", "a\nb"},
                                                {"good", "good"},
                                                {"a/b", "a"},
                                                {"a", "c", "a/b/c"}}) {
    const Status status = write_tree(to, entries(paths), true);
    REQUIRE(!status);
    CHECK(status.error().code == ErrorCode::corrupt);
    CHECK(!std::filesystem::exists(to));
  }
}

TEST_CASE_FIXTURE(TreeFixture, "write_tree follows no link below its directory") {
  std::filesystem::create_directory(to);
  std::filesystem::create_directory(outside);
  SUBCASE("a directory on the way") {
    std::filesystem::create_directory_symlink(outside, to + "/etc");
    for (const bool replace : {false, true}) {
      const Status status = write_tree(to, entries({"a", "etc/x"}), replace);
      REQUIRE(!status);
      CHECK(status.error().code == ErrorCode::unsupported);
      CHECK(!std::filesystem::exists(to + "/a"));
    }
  }
  SUBCASE("the file itself") {
    test::write_file(outside + "/x", "mine");
    std::filesystem::create_symlink(outside + "/x", to + "/x");
    CHECK(write_tree(to, entries({"x"}), false).error().code == ErrorCode::already_exists);
    CHECK(write_tree(to, entries({"x"}), true).error().code == ErrorCode::unsupported);
    CHECK(test::read_file(outside + "/x") == "mine");
  }
  SUBCASE("a link to nothing") {
    std::filesystem::create_symlink(outside + "/new", to + "/x");
    CHECK(!write_tree(to, entries({"x"}), false));
    CHECK(!std::filesystem::exists(outside + "/new"));
  }
  CHECK(!std::filesystem::exists(outside + "/etc"));
  CHECK(!std::filesystem::exists(outside + "/a"));
}

TEST_CASE_FIXTURE(TreeFixture, "write_tree replaces files only when it is told to") {
  std::filesystem::create_directory(to);
  test::write_file(to + "/b", "old");
  const Status refused = write_tree(to, entries({"a", "b"}), false);
  REQUIRE(!refused);
  CHECK(refused.error().code == ErrorCode::already_exists);
  CHECK(refused.error().hint.find("--force") != std::string::npos);
  CHECK(!std::filesystem::exists(to + "/a"));
  REQUIRE(write_tree(to, entries({"a", "b"}), true));
  CHECK(test::read_file(to + "/b") == "of b");
  std::filesystem::create_directory(to + "/c");
  CHECK(!write_tree(to, entries({"c"}), true));
  CHECK(files() == 2);
}

TEST_CASE_FIXTURE(TreeFixture, "write_tree makes one directory, not its parents") {
  const Status status = write_tree(to + "/deep/er", entries({"a"}), false);
  REQUIRE(!status);
  CHECK(status.error().code == ErrorCode::not_found);
}
