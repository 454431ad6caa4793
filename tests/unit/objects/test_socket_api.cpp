// Holds: an answer of the API server is whole, or an error.
#include "objects/socket_api.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

namespace {

using namespace rb;
using namespace rb::objects;
using namespace rb::test;

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

} // namespace
