#include "base/fd.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <string>
#include <thread>

using namespace rb;

namespace {

std::string temporary_file(std::string_view content) {
  std::string path = "/tmp/rb-unit-fd-XXXXXX";
  const Fd fd(::mkstemp(path.data()));
  REQUIRE(write_all(fd, as_bytes(content), path));
  return path;
}

} // namespace

TEST_CASE("read_text_file gives the whole file and refuses a larger one") {
  const std::string path = temporary_file("twelve bytes");
  CHECK(read_text_file(path, 12).value() == "twelve bytes");
  const auto refused = read_text_file(path, 11);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::unsupported);
  CHECK(refused.error().message == path + ": larger than 11 bytes");
  ::unlink(path.c_str());
}

TEST_CASE("read_text_file reads files that state no size") {
  CHECK_FALSE(read_text_file("/proc/self/status", 1U << 20U).value().empty());
}

TEST_CASE("a file that states no size costs no more than it holds, whatever the limit") {
  std::string path = "/tmp/rb-unit-fifo-XXXXXX";
  REQUIRE(::mkdtemp(path.data()) != nullptr);
  const std::string fifo = path + "/fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  const std::string content(100'000, 'x'); // some pieces
  for (const std::size_t limit : {content.size(), content.size() - 1, content.size() + 1}) {
    CAPTURE(limit);
    std::jthread writer([&] {
      const auto fd = open_file(fifo, O_WRONLY);
      static_cast<void>(write_all(*fd, as_bytes(content), fifo));
    });
    const auto text = read_text_file(fifo, limit);
    CHECK(text.has_value() == (limit >= content.size()));
    CHECK((!text || *text == content));
  }
  std::filesystem::remove_all(path);

  const std::clock_t begin = std::clock();
  for (int i = 0; i < 200; ++i) { // each process of a host, and each second
    CHECK_FALSE(read_text_file("/proc/self/stat", std::size_t{64} << 20U).value().empty());
  }
  CHECK(static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC < 1.5);
}

TEST_CASE("a missing file is not_found and the message names it") {
  const auto missing = read_text_file("/nonexistent/file", 10);
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == ErrorCode::not_found);
  CHECK(missing.error().message == "/nonexistent/file: open: no such file or directory");
}

TEST_CASE("a full device is no_space") {
  const auto full = open_file("/dev/full", O_WRONLY);
  REQUIRE(full);
  const auto written = write_all(*full, as_bytes("x"), "/dev/full");
  REQUIRE_FALSE(written);
  CHECK(written.error().code == ErrorCode::no_space);
}
