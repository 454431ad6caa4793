#include "support/emulator.hpp"
#include "support/scratch.hpp"

#include "base/open_beneath.hpp"
#include "base/process.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

using namespace rb;

namespace {

struct Place {
  test::Scratch scratch;

  [[nodiscard]] Fd directory() const {
    return open_file(scratch.path(), O_RDONLY | O_DIRECTORY).value();
  }
  [[nodiscard]] Result<Fd> open(const std::string& path, int flags = O_RDONLY) const {
    return open_beneath(directory(), path, flags, 0600, path);
  }
  void link(const std::string& target, const std::string& name) const {
    REQUIRE(::symlink(target.c_str(), scratch.path(name).c_str()) == 0);
  }
  void mode(const std::string& name, unsigned mode) const {
    REQUIRE(::chmod(scratch.path(name).c_str(), mode) == 0);
  }
  void give_away(const std::string& name) const {
    REQUIRE(::lchown(scratch.path(name).c_str(), 65534, 65534) == 0);
  }
};

bool is_root() {
  return ::geteuid() == 0;
}

} // namespace

TEST_CASE("a regular file below a directory is opened, also in a deeper one") {
  const Place place;
  place.scratch.write("a/b/c", "content");
  const auto fd = place.open("a/b/c");
  REQUIRE(fd);
  CHECK(read_secret_file(*fd, "c", 100)->text() == "content");
  CHECK(place.open("a/b/none").error().code == ErrorCode::not_found);
  CHECK(place.open("new", O_WRONLY | O_CREAT | O_EXCL));
  CHECK(place.open("new", O_WRONLY | O_CREAT | O_EXCL).error().code == ErrorCode::already_exists);
}

TEST_CASE("no link is followed, wherever it is in the path, and not out of the directory either") {
  const Place place;
  place.scratch.write("real/file", "x");
  place.link("real/file", "to-file");
  place.link("real", "to-directory");
  place.link("/etc/passwd", "out");
  place.link("nowhere", "dangling");
  for (const char* path : {"to-file", "to-directory/file", "out", "dangling"}) {
    CAPTURE(path);
    const auto fd = place.open(path);
    REQUIRE_FALSE(fd);
    CHECK(fd.error().code == ErrorCode::unsupported);
    CHECK(fd.error().message.find("symbolic link") != std::string::npos);
  }
  CHECK_FALSE(place.open("dangling", O_WRONLY | O_CREAT));
  CHECK_FALSE(place.scratch.exists("nowhere"));
  for (const char* path : {"", "/etc/passwd", "..", "real/../real/file", "../x"}) {
    CAPTURE(path);
    CHECK(place.open(path).error().code == ErrorCode::invalid_argument);
  }
}

TEST_CASE("what is no regular file is not taken, and does not hold us up") {
  const Place place;
  place.scratch.make_directory("directory");
  REQUIRE(::mkfifo(place.scratch.path("fifo").c_str(), 0600) == 0);
  CHECK(place.open("directory").error().message == "directory: not a regular file");
  CHECK(place.open("fifo").error().message == "fifo: not a regular file");
  CHECK(place.open("fifo", O_WRONLY).error().message == "fifo: not a regular file");
  CHECK(open_regular(place.scratch.path("fifo")).error().code == ErrorCode::unsupported);
  if (is_root() &&
      ::mknod(place.scratch.path("null").c_str(), S_IFCHR | 0600, makedev(1, 3)) == 0) {
    CHECK(place.open("null").error().message == "null: not a regular file");
    CHECK(open_regular(place.scratch.path("null")).error().code == ErrorCode::unsupported);
  }
}

TEST_CASE("a link that only root can have made is followed, one of another user is not") {
  const Place place;
  place.scratch.write("root/file", "x");
  place.link(place.scratch.path("root/file"), "root/link");
  CHECK(read_regular(place.scratch.path("root/link"), 10)->text() == "x");
  CHECK(read_regular_text(place.scratch.path("root/file"), 10).value() == "x");
  CHECK(open_regular(place.scratch.path("root/none")).error().code == ErrorCode::not_found);
  CHECK(open_regular("relative").error().code == ErrorCode::invalid_argument);
  place.link("loop", "loop");
  CHECK_FALSE(open_regular(place.scratch.path("loop")));

  if (is_root()) {
    place.scratch.make_directory("home");
    place.link(place.scratch.path("root/file"), "home/link");
    place.scratch.write("home/own", "mine");
    place.give_away("home");
    const auto fd = open_regular(place.scratch.path("home/link"));
    REQUIRE_FALSE(fd);
    CHECK(fd.error().code == ErrorCode::permission_denied);
    CHECK(fd.error().message.find(place.scratch.path("home")) != std::string::npos);
    CHECK(read_regular_text(place.scratch.path("home/own"), 10).value() == "mine");
    // Also a link of another user in a directory that is ours.
    place.link(place.scratch.path("root/file"), "root/planted");
    place.give_away("root/planted");
    CHECK(open_regular(place.scratch.path("root/planted")).error().code ==
          ErrorCode::permission_denied);
  }
}

TEST_CASE("a program is root's when it and all that leads to it is") {
  const Place place;
  place.scratch.write("bin/k3s", "#!/bin/sh\nexit 7\n");
  place.mode("bin/k3s", 0755);
  const std::string program = place.scratch.path("bin/k3s");
  const auto refused = [&](const std::string& component) {
    const Status status = check_root_owned(program);
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::permission_denied);
    CHECK(status.error().message ==
          program + ": others than root can change " + place.scratch.path(component));
    CHECK(status.error().hint.find("chmod go-w " + place.scratch.path(component)) !=
          std::string::npos);
  };
  CHECK(check_root_owned(program));
  SUBCASE("the program is writable for others") {
    place.mode("bin/k3s", 0757);
    refused("bin/k3s");
  }
  SUBCASE("for a group") {
    place.mode("bin/k3s", 0775);
    refused("bin/k3s");
  }
  SUBCASE("its directory is") {
    place.mode("bin", 0777);
    refused("bin");
  }
  SUBCASE("a sticky directory keeps what is root's") {
    place.mode("bin", 01777);
    CHECK(check_root_owned(program));
  }
  SUBCASE("the program is another user's") {
    if (is_root()) {
      place.give_away("bin/k3s");
      refused("bin/k3s");
    }
  }
  SUBCASE("a directory is another user's") {
    if (is_root()) {
      place.give_away("bin");
      refused("bin");
    }
  }
  SUBCASE("not a file") {
    CHECK(check_root_owned(place.scratch.path("bin")).error().code == ErrorCode::unsupported);
    CHECK(check_root_owned(place.scratch.path("none")).error().code == ErrorCode::not_found);
  }
}

TEST_CASE("only a program of root's is run; one that is not there is reported as ever") {
  const Place place;
  place.scratch.write("bin/k3s", "#!/bin/sh\nexit 7\n");
  place.mode("bin/k3s", 0755);
  RealProcessRunner any;
  TrustedRunner runner(any);
  ProcessSpec spec;
  spec.program = place.scratch.path("bin/k3s");
  CHECK(runner.run(spec, {})->exit_status == 7);
  place.mode("bin", 0777);
  CHECK(runner.run(spec, {}).error().code == ErrorCode::permission_denied);
  if (test::is_emulated()) {
    MESSAGE("NOT RUN: qemu starts a program that is not there");
    return;
  }
  spec.program = place.scratch.path("none");
  CHECK(runner.run(spec, {}).error().code == ErrorCode::not_found);
}
