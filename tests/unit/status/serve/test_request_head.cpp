#include "status/serve/request_head.hpp"

#include <doctest/doctest.h>

using namespace rb::status;

namespace {

constexpr std::size_t k_limit = 64;

} // namespace

TEST_CASE("a request is whole at its empty line, and its path ends at the question mark") {
  const auto head = read_head("GET /metrics?name=a HTTP/1.1\r\nHost: x\r\n\r\nrest", k_limit);
  CHECK(head.state == HeadState::whole);
  CHECK(head.method == "GET");
  CHECK(head.path == "/metrics");
  CHECK(read_head("GET /livez HTTP/1.0\n\n", k_limit).path == "/livez");
}

TEST_CASE("what has not come yet is waited for, up to the limit") {
  const std::string request = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
  for (std::size_t size = 0; size < request.size(); ++size) {
    CAPTURE(size);
    CHECK(read_head(request.substr(0, size), k_limit).state == HeadState::more_wanted);
  }
  CHECK(read_head(std::string(k_limit - 1, 'x'), k_limit).state == HeadState::more_wanted);
  CHECK(read_head(std::string(k_limit, 'x'), k_limit).state == HeadState::too_long);
  CHECK(read_head(std::string(k_limit, 'x') + "\r\n\r\n", k_limit).state == HeadState::too_long);
}

TEST_CASE("what is not HTTP/1 is told apart") {
  for (const char* text : {"\r\n\r\n",
                           "GET\r\n\r\n",
                           "GET /livez\r\n\r\n",
                           " /livez HTTP/1.1\r\n\r\n",
                           "GET /livez HTTP/2\r\n\r\n",
                           "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"}) {
    CAPTURE(text);
    CHECK(read_head(text, k_limit).state == HeadState::not_http);
  }
}
