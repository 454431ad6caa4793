#include "kube/server_url.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::kube;

TEST_CASE("a server's address is taken apart and put together") {
  const ServerUrl url = parse_server_url("https://10.43.0.1:6443").value();
  CHECK(url.tls);
  CHECK(url.host == "10.43.0.1");
  CHECK(url.port == 6443);
  CHECK(url.is_address);
  CHECK(url.text() == "https://10.43.0.1:6443");
  CHECK(parse_server_url("https://api.example.org").value().text() ==
        "https://api.example.org:443");
  CHECK(parse_server_url("https://h/k8s/clusters/c-1//").value().text() ==
        "https://h:443/k8s/clusters/c-1");
  CHECK_FALSE(parse_server_url("https://api.example.org").value().is_address);
}

TEST_CASE("plain http is for this host alone") {
  CHECK(parse_server_url("http://127.0.0.1:8001").has_value());
  CHECK(parse_server_url("http://localhost:8001").has_value());
  CHECK(parse_server_url("http://10.0.0.1:8001").error().code == ErrorCode::unsupported);
  CHECK(parse_server_url("http://127.example.org").error().code == ErrorCode::unsupported);
}

TEST_CASE("an IPv6 address is refused with what to do instead") {
  const Error error = parse_server_url("https://[fd00::1]:6443").error();
  CHECK(error.code == ErrorCode::unsupported);
  CHECK(error.hint.find("host name") != std::string::npos);
}

TEST_CASE("what is no address of a server is refused") {
  for (const char* bad : {"",
                          "10.0.0.1:6443",
                          "ftp://h",
                          "https://",
                          "https://h:0",
                          "https://h:65536",
                          "https://h:x",
                          "https://h:",
                          "https://user@h",
                          "https://h?x=1",
                          "https://h#x",
                          "https://h h",
                          "https://h\r\nx: y"}) {
    CAPTURE(bad);
    CHECK(parse_server_url(bad).error().code == ErrorCode::invalid_argument);
  }
}

TEST_CASE("an IPv4 address is four numbers up to 255") {
  CHECK(is_ipv4_address("0.0.0.0"));
  CHECK(is_ipv4_address("255.255.255.255"));
  for (const char* bad : {"", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1..2.3", "a.b.c.d", "1.2.3.4 "}) {
    CAPTURE(bad);
    CHECK_FALSE(is_ipv4_address(bad));
  }
}
