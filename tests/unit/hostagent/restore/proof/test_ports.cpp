// Holds: messages arrive as they were sent; a program that has ended is noticed.
#include "restore/proof/memory.hpp"
#include "restore/proof/messages.hpp"
#include "restore/proof/namespace_helper.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <sys/socket.h>

#include <array>
#include <thread>

namespace {

using namespace rb;
using namespace rb::proof;
using namespace rb::test;

struct Pair {
  Pair() {
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    ours = Fd(ends[0]);
    theirs = Fd(ends[1]);
  }
  Fd ours;
  Fd theirs;
};

TEST_CASE("requests and replies arrive as they were sent") {
  Pair pair;
  Request request;
  request.op = Op::start;
  request.log_path = "/log";
  request.spec.program = "/k3s";
  request.spec.arguments = {"server", "--x=\"y\""};
  request.spec.environment = {{"K3S_TOKEN", "secret"}};
  request.spec.timeout = std::chrono::seconds(7);
  REQUIRE(send_request(pair.ours, request).has_value());
  const auto got = receive_request(pair.theirs);
  REQUIRE(got.has_value());
  CHECK(got->op == Op::start);
  CHECK(got->log_path == "/log");
  CHECK(got->spec.arguments == request.spec.arguments);
  CHECK(got->spec.environment == request.spec.environment);
  CHECK(got->spec.timeout == std::chrono::seconds(7));

  Reply reply;
  reply.ok = false;
  reply.error = {ErrorCode::no_space, "full", "make room"};
  reply.result.exit_status = 3;
  reply.result.err = "not UTF-8: \xff";
  REQUIRE(send_reply(pair.theirs, reply).has_value());
  const auto answer = receive_reply(pair.ours, {});
  REQUIRE(answer.has_value());
  CHECK(answer->error.code == ErrorCode::no_space);
  CHECK(answer->error.hint == "make room");
  CHECK(answer->result.exit_status == 3);
  CHECK(answer->result.err.starts_with("not UTF-8: "));
}

TEST_CASE("the other side's end is noticed, and a wait can be stopped") {
  Pair pair;
  std::stop_source stop;
  stop.request_stop();
  CHECK(receive_reply(pair.ours, stop.get_token()).error().code == ErrorCode::cancelled);
  pair.theirs = Fd();
  CHECK(receive_reply(pair.ours, {}).error().code == ErrorCode::unavailable);
  CHECK(send_request(pair.ours, {}).error().code == ErrorCode::unavailable);
}

TEST_CASE("a program that was started is watched, and its output kept private") {
  const TemporaryDirectory directory;
  Spawned spawned;
  ProcessSpec spec;
  spec.program = "/bin/sh";
  spec.arguments = {"-c", "echo said; exit 3"};
  REQUIRE(spawned.start(spec, directory.file("log")).has_value());
  Status alive;
  for (int tries = 0; tries < 500 && alive; ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    alive = spawned.alive();
  }
  REQUIRE_FALSE(alive.has_value());
  CHECK(alive.error().message == "/bin/sh -c: ended with exit status 3");
  CHECK_FALSE(spawned.alive().has_value());
  CHECK(read_file(directory.file("log")) == "said\n");
  CHECK(mode_of(directory.file("log")) == "600");
  spec.program = "/nowhere/k3s";
  CHECK(spawned.start(spec, directory.file("log")).error().code == ErrorCode::not_found);
}

} // namespace
