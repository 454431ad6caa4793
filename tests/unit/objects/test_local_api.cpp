// Holds: an answer of the API server is whole, or an error.
// Holds: the proxy is there when start_proxy() returns, and gone with the value; one that does not
// come up is an error and leaves no process.
#include "objects/local_api.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>

using namespace rb;
using namespace rb::objects;
using namespace rb::test;

namespace {

/// A k3s that answers on the socket, as `kubectl proxy` does.
constexpr const char* k_answers = R"(#!/usr/bin/python3
import os, socket, sys
open(os.environ["PID"], "w").write(str(os.getpid()))
assert sys.argv[1:3] == ["kubectl", "proxy"] and sys.argv[3] == "--kubeconfig=/etc/kube"
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[4].removeprefix("--unix-socket="))
server.listen()
while True:
    client = server.accept()[0]
    client.recv(4096)
    client.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")
    client.close()
)";

/// The build root has no Python.
bool has_python() {
  const bool there = std::filesystem::exists("/usr/bin/python3");
  if (!there) {
    MESSAGE("NOT RUN: the proxy of this test is a script of Python, which is not here");
  }
  return there;
}

struct Host {
  explicit Host(const std::string& script) {
    write_file(directory.file("k3s"), script);
    ::chmod(directory.file("k3s").c_str(), 0755);
    order = {directory.file("k3s"),
             "/etc/kube",
             directory.file("api.sock"),
             {{"PID", directory.file("pid")}, {"PATH", "/usr/bin:/bin"}}};
  }
  [[nodiscard]] bool runs() const {
    return ::kill(std::stoi(read_file(directory.file("pid"))), 0) == 0;
  }

  TemporaryDirectory directory;
  ProxyOrder order;
  RealWaiter waiter;
};

} // namespace

TEST_CASE("an answer is read whole") {
  const auto answer =
      parse_answer("HTTP/1.0 200 OK\r\nContent-Type: x\r\ncontent-length: 2\r\n\r\nok");
  REQUIRE(answer.has_value());
  CHECK(answer->status == 200);
  CHECK(answer->body == "ok");
  CHECK(parse_answer("HTTP/1.0 404 Not Found\r\n\r\n").value_or({}).status == 404);
}

TEST_CASE("what is cut off or no HTTP is an error") {
  for (const char* const text : {"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nok",
                                 "HTTP/1.0 200 OK\r\n",
                                 "HTTP/1.0 x00 OK\r\n\r\n",
                                 "SSH-2.0\r\n\r\n",
                                 ""}) {
    const auto answer = parse_answer(text);
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().code == ErrorCode::corrupt);
  }
}

TEST_CASE("nobody answers, or the socket's name is too long") {
  const TemporaryDirectory directory;
  SocketApi api(directory.file("api.sock"), std::chrono::seconds(1));
  const auto answer = api.get("/readyz", "*/*");
  REQUIRE_FALSE(answer.has_value());
  CHECK(answer.error().code == ErrorCode::unavailable);
  SocketApi deep("/" + std::string(200, 'x'), std::chrono::seconds(1));
  const auto refused = deep.get("/readyz", "*/*");
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == ErrorCode::invalid_argument);
}

TEST_CASE("the proxy answers, and ends with its value") {
  if (!has_python()) {
    return;
  }
  Host host(k_answers);
  write_file(host.order.socket_path, "of one that was killed");
  {
    const auto api = start_proxy(host.order, host.waiter);
    REQUIRE_MESSAGE(api.has_value(), api.error().message);
    CHECK((*api)->get("/api/v1/pods", "application/json").value_or({}).body == "ok");
    CHECK(host.runs());
  }
  CHECK_FALSE(host.runs());
  CHECK_FALSE(std::filesystem::exists(host.order.socket_path));
}

TEST_CASE("one that trusts another CA is no way in, and its own words are told") {
  if (!has_python()) {
    return;
  }
  std::string refuses(k_answers);
  const std::string ok = "200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok";
  refuses.replace(refuses.find(ok),
                  ok.size(),
                  "502 Bad Gateway\\r\\nContent-Length: 24\\r\\n\\r\\nx509: unknown authority\\n");
  Host host(refuses);
  const auto api = start_proxy(host.order, host.waiter, std::chrono::seconds(1));
  REQUIRE_FALSE(api.has_value());
  CHECK(api.error().code == ErrorCode::unavailable);
  CHECK(api.error().message.ends_with(": HTTP 502: x509: unknown authority"));
  CHECK_FALSE(host.runs());
}

TEST_CASE("one that ends at once, or never answers, is an error") {
  Host ends("#!/bin/sh\necho 'error: no such kubeconfig' >&2\nexit 1\n");
  const auto ended = start_proxy(ends.order, ends.waiter);
  REQUIRE_FALSE(ended.has_value());
  CHECK(ended.error().code == ErrorCode::unavailable);
  CHECK(ended.error().message.ends_with("ended at once: error: no such kubeconfig"));
  CHECK_FALSE(std::filesystem::exists(ends.order.socket_path + ".log"));

  Host silent("#!/bin/sh\necho $$ >$PID\nexec sleep 60\n");
  const auto late = start_proxy(silent.order, silent.waiter, std::chrono::seconds(1));
  REQUIRE_FALSE(late.has_value());
  CHECK(late.error().message.find("does not answer") != std::string::npos);
  CHECK_FALSE(silent.runs());
}

TEST_CASE("no program, and a socket whose name is too long, are said") {
  Host host(k_answers);
  host.order.socket_path = "/" + std::string(200, 'x');
  CHECK(start_proxy(host.order, host.waiter).error().code == ErrorCode::invalid_argument);
  host.order.program = "/nowhere/k3s";
  CHECK(start_proxy(host.order, host.waiter).error().code == ErrorCode::not_found);
}
