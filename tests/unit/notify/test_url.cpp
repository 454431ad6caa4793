// Addresses of receivers: what is taken, and that nothing of them is ever quoted.
#include "notify/url.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::notify;

namespace {

ReceiverUrl url(std::string_view text) {
  auto parsed = parse_url(text, PlainHttp::allowed);
  REQUIRE(parsed);
  return *std::move(parsed);
}

Error refused(std::string_view text, PlainHttp plain = PlainHttp::refused) {
  const auto parsed = parse_url(text, plain);
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().code == ErrorCode::invalid_argument);
  return parsed.error();
}

} // namespace

TEST_CASE("host, port and what is behind them") {
  const ReceiverUrl check = url("https://hc-ping.com/5f0c-secret\n");
  CHECK(check.tls);
  CHECK(check.host == "hc-ping.com");
  CHECK(check.port == 443);
  CHECK(check.target.text() == "/5f0c-secret");
  CHECK(check.authority() == "hc-ping.com");

  const ReceiverUrl inside = url("http://ntfy.ntfy.svc:8080/topic?auth=x");
  CHECK_FALSE(inside.tls);
  CHECK(inside.port == 8080);
  CHECK(inside.target.text() == "/topic?auth=x");
  CHECK(inside.authority() == "ntfy.ntfy.svc:8080");

  CHECK(url("http://h").port == 80);
  CHECK(url("http://h:443/").authority() == "h:443");
  CHECK(url("https://h").target.text() == "/");
  CHECK(url("https://h?a=b").target.text() == "/?a=b");
  CHECK(url("https://[2001:db8::1]:8443/x").host == "2001:db8::1");
  CHECK(url("https://[2001:db8::1]:8443/x").authority() == "[2001:db8::1]:8443");
}

TEST_CASE("a user and a password, as proxies before a receiver ask for them") {
  const ReceiverUrl check = url("https://backup:pa%40ss%2Fword@hc.example:8443/ping/uuid?rid=1");
  CHECK(check.host == "hc.example");
  CHECK(check.port == 8443);
  CHECK(check.credentials.text() == "backup:pa@ss/word");
  CHECK(check.authority() == "hc.example:8443"); // nothing of them is told
  CHECK(with_suffix(check, "/start").credentials.text() == "backup:pa@ss/word");
  CHECK(url("https://tk_token@ntfy.example/t").credentials.text() == "tk_token:");
  CHECK(url("https://u:a:b@c@[2001:db8::1]/").credentials.text() == "u:a:b@c");
  CHECK(url("https://h/a@b").credentials.empty());
  for (const char* text : {"https://u:s3cr%t@h/", "https://u:s3cr%4@h/", "https://u:s3cr%@h/"}) {
    CHECK(refused(text).text().find("s3cr") == std::string::npos);
  }
}

TEST_CASE("a dot at the end of a name keeps search domains away, and is nowhere else") {
  const ReceiverUrl check = url("https://hc-ping.com./uuid");
  CHECK(check.host == "hc-ping.com."); // what is looked up
  CHECK(check.name() == "hc-ping.com");
  CHECK(check.authority() == "hc-ping.com");
  CHECK(url("https://hc-ping.com.:8443/").authority() == "hc-ping.com:8443");
  refused("https://./");
}

TEST_CASE("a suffix goes to the end of the path, before the query") {
  CHECK(with_suffix(url("https://h/uuid"), "/start").target.text() == "/uuid/start");
  CHECK(with_suffix(url("https://h/uuid/"), "/fail").target.text() == "/uuid/fail");
  CHECK(with_suffix(url("https://h/uuid?rid=1"), "/start").target.text() == "/uuid/start?rid=1");
  CHECK(with_suffix(url("https://h"), "/start").target.text() == "/start");
  CHECK(with_suffix(url("https://h/"), "").target.text() == "/");
  CHECK(with_suffix(url("https://h/a/"), "").target.text() == "/a/");
}

TEST_CASE("parameters take the place of those that are there, as an Uptime Kuma shows its URL") {
  const auto query = [](std::string_view text) {
    return std::string(
        with_query(url(text), {{"status", "down"}, {"msg", "home: \xc3\xbc 100 %&x"}})
            .target.text());
  };
  const std::string added = "status=down&msg=home%3A%20%C3%BC%20100%20%25%26x";
  CHECK(query("https://h/api/push/t0k?status=up&msg=OK&ping=") == "/api/push/t0k?ping=&" + added);
  CHECK(query("https://h/api/push/t0k") == "/api/push/t0k?" + added);
  CHECK(query("https://h/p/key/job?env=prod&&msg") == "/p/key/job?env=prod&" + added);
  CHECK(query("https://h?") == "/?" + added);
}

TEST_CASE("http is taken where that was said, and refused with the way out elsewhere") {
  CHECK(parse_url("http://h/secret", PlainHttp::allowed));
  const Error error = refused("http://h/secret");
  CHECK(error.hint.find("notify.allowHTTP") != std::string::npos);
}

TEST_CASE("what is no address is refused, and no part of it is in the message") {
  for (const std::string& text : {std::string(),
                                  std::string(" \n"),
                                  std::string("sec-ret"),
                                  std::string("ftp://sec-ret/x"),
                                  std::string("https://"),
                                  std::string("https:///sec-ret"),
                                  std::string("https://user:sec-ret@/"),
                                  std::string("https://h:0/sec-ret"),
                                  std::string("https://h:99999/sec-ret"),
                                  std::string("https://h:/sec-ret"),
                                  std::string("https://h:8x/sec-ret"),
                                  std::string("https://[::1/sec-ret"),
                                  std::string("https://[::1]x/sec-ret"),
                                  std::string("https://[sec-ret]/"),
                                  std::string("https://h/sec-ret#f"),
                                  std::string("https://h/sec-ret\r\nHost: evil"),
                                  std::string("https://h/sec ret"),
                                  std::string("https://h/sec-ret\xc3\xa4"),
                                  std::string("https://h/sec-ret") + '\0',
                                  std::string("https://sec-ret%41/"),
                                  "https://h/sec-ret" + std::string(3000, 'x'),
                                  "https://" + std::string(300, 'h') + "/sec-ret"}) {
    CAPTURE(text);
    const Error error = refused(text, PlainHttp::allowed);
    CHECK(error.text().find("sec-ret") == std::string::npos);
  }
}
