#include "agent/host/mounted_files.hpp"
#include "support/scratch.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

using namespace rb;
using namespace rb::agent;

namespace {

std::vector<std::string> paths(FileCollector& files) {
  std::vector<std::string> names;
  for (const auto& entry : files.entries()) {
    names.push_back(entry.path);
  }
  return names;
}

using Names = std::vector<std::string>;

} // namespace

TEST_CASE("a tree is collected in the order of its names, with modes") {
  const test::Scratch scratch;
  scratch.write("t/b", "B");
  scratch.write("t/a/c", "C");
  std::filesystem::permissions(scratch.path("t/b"), std::filesystem::perms(0640));
  FileCollector files;
  files.add_tree(scratch.path("t"), "etc/t");
  CHECK(paths(files) == Names{"etc/t/a/c", "etc/t/b"});
  CHECK(files.entries()[1].content.text() == "B");
  CHECK(files.entries()[1].mode == 0640);
  CHECK(files.skipped().empty());
}

TEST_CASE("links to files count; links to directories are not followed, and that is said") {
  const test::Scratch scratch;
  scratch.write("real", "x");
  scratch.make_directory("t");
  scratch.write("elsewhere/secret", "x");
  REQUIRE(::symlink(scratch.path("real").c_str(), scratch.path("t/link").c_str()) == 0);
  REQUIRE(::symlink(scratch.path("elsewhere").c_str(), scratch.path("t/dir").c_str()) == 0);
  REQUIRE(::symlink(scratch.path("t").c_str(), scratch.path("t/loop").c_str()) == 0);
  FileCollector files;
  files.add_tree(scratch.path("t"), "t");
  CHECK(paths(files) == Names{"t/link"});
  REQUIRE(files.skipped().size() == 2);
  CHECK(files.skipped()[0].path == "t/dir");
  CHECK(files.skipped()[1].path == "t/loop");
}

TEST_CASE("what is over a bound is left out and noted; the rest is not hidden by it") {
  const test::Scratch scratch;
  scratch.write("t/1-large", std::string(101, 'x'));
  scratch.write("t/2-small", std::string(60, 'x'));
  scratch.write("t/3-too-much", std::string(60, 'x'));
  scratch.write("t/4-fits", std::string(30, 'x'));
  scratch.write("t/d/d/d/deep", "x");
  FileCollector files({100, 100, 2, 1});
  files.add_tree(scratch.path("t"), "t");
  CHECK(paths(files) == Names{"t/2-small", "t/4-fits"});
  REQUIRE(files.skipped().size() == 3);
  CHECK(files.skipped()[0].path == "t/1-large");
  CHECK(files.skipped()[1].why == "too many bytes in all");
  CHECK(files.skipped()[2].why == "too deep");
}

TEST_CASE("what is not there is not missed") {
  FileCollector files;
  CHECK_FALSE(files.add_file("/nonexistent/a", "a"));
  files.add_tree("/nonexistent/t", "t");
  files.add_matching("/nonexistent", "k3s", "m");
  CHECK(files.entries().empty());
  CHECK(files.skipped().empty());
}
