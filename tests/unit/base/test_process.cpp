#include "support/emulator.hpp"

#include "base/process.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <thread>

using namespace rb;

TEST_CASE("a program gets its arguments as they are and nothing of our environment") {
  RealProcessRunner runner;
  ProcessSpec spec;
  spec.program = "/usr/bin/env";
  spec.arguments = {
      "/bin/sh",
      "-c",
      "echo \"$1\"; env | grep -v -e ^PWD= -e ^_= -e ^SHLVL=; echo problem >&2; exit 7",
      "sh",
      "a b;$(c)"};
  spec.environment = {{"ONLY", "this"}};
  const auto result = runner.run(spec, {}).value();
  CHECK(result.exit_status == 7);
  CHECK(result.out == "a b;$(c)\nONLY=this\n");
  CHECK(result.err == "problem\n");
  CHECK_FALSE(result.timed_out);
}

TEST_CASE("a program that is not there cannot be started") {
  if (test::is_emulated()) {
    MESSAGE("NOT RUN: qemu starts a program that is not there");
    return;
  }
  RealProcessRunner runner;
  ProcessSpec spec;
  spec.program = "/nonexistent/k3s";
  const auto result = runner.run(spec, {});
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::not_found);
}

TEST_CASE("a program that takes too long is ended, and what it started with it") {
  RealProcessRunner runner;
  ProcessSpec spec;
  spec.program = "/bin/sh";
  spec.arguments = {"-c", "sleep 60 & sleep 60"};
  spec.timeout = std::chrono::seconds(1);
  const auto begin = std::chrono::steady_clock::now();
  const auto result = runner.run(spec, {}).value();
  CHECK(result.timed_out);
  CHECK(result.exit_status == -1);
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
}

TEST_CASE("a stop request ends the program and is reported as cancelled") {
  RealProcessRunner runner;
  ProcessSpec spec;
  spec.program = "/bin/sleep";
  spec.arguments = {"60"};
  std::stop_source source;
  std::jthread stopper([&source] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    source.request_stop();
  });
  const auto result = runner.run(spec, source.get_token());
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::cancelled);
}

TEST_CASE("output beyond the limit is dropped, not stored, and the program is not blocked by it") {
  RealProcessRunner runner;
  ProcessSpec spec;
  spec.program = "/bin/sh";
  spec.arguments = {"-c", "head -c 300000 /dev/zero; echo end >&2"};
  spec.output_limit_bytes = 1000;
  const auto result = runner.run(spec, {}).value();
  CHECK(result.out.size() == 1000);
  CHECK(result.err == "end\n");
  CHECK(result.exit_status == 0);
}

TEST_CASE("output can be taken as it comes, and the program is ended when it is too much") {
  RealProcessRunner runner;
  ProcessSpec spec;
  spec.program = "/bin/sh";
  std::string got;
  SUBCASE("all of it is taken") {
    spec.arguments = {"-c", "echo one; echo two; echo bad >&2"};
    spec.on_output = [&](std::string_view bytes) {
      got += bytes;
      return true;
    };
    const auto result = runner.run(spec, {}).value();
    CHECK(got == "one\ntwo\n");
    CHECK(result.out.empty());
    CHECK(result.err == "bad\n");
    CHECK_FALSE(result.refused);
    CHECK(result.exit_status == 0);
  }
  SUBCASE("it never ends") {
    spec.arguments = {"-c", "while :; do echo again; done"};
    spec.on_output = [&](std::string_view bytes) {
      if (got.size() + bytes.size() > 200000) {
        return false;
      }
      got += bytes;
      return true;
    };
    const auto result = runner.run(spec, {}).value();
    CHECK(result.refused);
    CHECK_FALSE(result.timed_out);
    CHECK(got.size() <= 200000);
  }
}

TEST_CASE("a program runs as long as it may go on") {
  RealProcessRunner runner;
  ProcessSpec spec;
  spec.program = "/bin/sleep";
  spec.arguments = {"60"};
  int asked = 0;
  spec.go_on = [&] { return ++asked < 3; };
  const auto begin = std::chrono::steady_clock::now();
  const auto result = runner.run(spec, {}).value();
  CHECK(result.refused);
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
}
