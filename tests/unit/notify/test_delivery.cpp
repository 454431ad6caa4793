// A message on its way to its receiver: the address and the token out of the Secret, the request in
// the receiver's form, and what each answer means.
#include "notify/delivery.hpp"
#include "receiver.hpp"
#include "support/scratch.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::notify;
using kube::test::LoopbackServer;
using kube::test::response;
using test::answering;
using test::Keeper;

namespace {

constexpr const char* k_secret = "/s3cr3t-path";
constexpr const char* k_token = "t0ken-of-somebody";

/// The mounted Secret, and what stands in it.
class Mounted {
public:
  explicit Mounted(const std::string& base) {
    m_directory.write(k_dead_man_url_key, base + k_secret + "\n");
    m_directory.write(k_webhook_url_key, base + k_secret + "\n");
    m_directory.write(k_webhook_token_key, std::string(k_token) + "\n");
    settings.secret_dir = m_directory.path();
    settings.plain_http = PlainHttp::allowed;
  }
  [[nodiscard]] const test::Scratch& directory() const { return m_directory; }

  ReceiverSettings settings;

private:
  test::Scratch m_directory;
};

Message problem() {
  Message message;
  message.kind = MessageKind::problem;
  message.topic = "run";
  message.title = "backup failed";
  message.text = "because";
  return message;
}

Status tell(const Mounted& mounted, const std::stop_token& stop = {}) {
  return WebhookDelivery(mounted.settings, WebhookFormat::json, {}).deliver(problem(), stop);
}

Status ping(const Mounted& mounted, const std::stop_token& stop = {}) {
  return DeadManDelivery(mounted.settings).deliver(problem(), stop);
}

/// Whatever went wrong: nothing of the address but the host, and nothing of the token.
const Error& discreet(const Status& status) {
  REQUIRE_FALSE(status);
  const std::string text = status.error().text();
  CAPTURE(text);
  CHECK(text.find("s3cr3t") == std::string::npos);
  CHECK(text.find("t0ken") == std::string::npos);
  CHECK(text.find("because") == std::string::npos);
  return status.error();
}

} // namespace

TEST_CASE("a webhook gets the message, the token, and nothing that leads anywhere else") {
  Keeper keeper;
  const Mounted mounted(keeper.server.url());
  REQUIRE(tell(mounted));
  const std::string request = keeper.request();
  CHECK(request.starts_with("POST /s3cr3t-path HTTP/1.1\r\nHost: 127.0.0.1:"));
  CHECK(request.find("\r\nAuthorization: Bearer t0ken-of-somebody\r\n") != std::string::npos);
  CHECK(request.find("\r\nContent-Type: application/json\r\n") != std::string::npos);
  CHECK(request.find("\r\nConnection: close\r\n") != std::string::npos);
  CHECK(request.find("\"message\":\"because\"") != std::string::npos);
}

TEST_CASE("a dead-man check gets the reason as body, and never the token") {
  Keeper keeper;
  const Mounted mounted(keeper.server.url());
  REQUIRE(ping(mounted));
  CHECK(keeper.request().starts_with("POST /s3cr3t-path/fail HTTP/1.1\r\n"));
  CHECK(keeper.request().ends_with("\r\n\r\nbackup failed\nbecause\n"));
  CHECK(keeper.request().find("t0ken") == std::string::npos);

  Message success = problem();
  success.kind = MessageKind::succeeded;
  REQUIRE(DeadManDelivery(mounted.settings).deliver(success, {}));
  CHECK(keeper.request().starts_with("GET /s3cr3t-path HTTP/1.1\r\n"));
  CHECK(keeper.request().find("Content-Length") == std::string::npos);
}

TEST_CASE("an Uptime Kuma is told that it is down in its own words") {
  Keeper keeper;
  const Mounted mounted(keeper.server.url());
  mounted.directory().write(k_dead_man_url_key,
                            keeper.server.url() + "/api/push/t0k?status=up&msg=OK&ping=\n");
  REQUIRE(DeadManDelivery(mounted.settings, DeadManFormat::uptime_kuma).deliver(problem(), {}));
  CHECK(keeper.request().starts_with(
      "GET /api/push/t0k?ping=&status=down&msg=backup%20failed HTTP/1.1\r\n"));
}

TEST_CASE("a user and a password in the URL are sent as Basic, where there is no token") {
  Keeper keeper;
  std::string base = keeper.server.url();
  base.insert(base.find("//") + 2, "backup:pass@");
  const Mounted mounted(base);
  REQUIRE(ping(mounted));
  CHECK(keeper.request().find("\r\nAuthorization: Basic YmFja3VwOnBhc3M=\r\n") !=
        std::string::npos);
  CHECK(keeper.request().find("\r\nHost: 127.0.0.1:") != std::string::npos);
  REQUIRE(tell(mounted));
  CHECK(keeper.request().find("Basic") == std::string::npos);
  CHECK(keeper.request().find("\r\nAuthorization: Bearer t0ken") != std::string::npos);
}

TEST_CASE("a Secret without a token, and one that changes, are taken as they are") {
  Keeper keeper;
  const Mounted mounted(keeper.server.url());
  std::filesystem::remove(mounted.directory().path(k_webhook_token_key));
  REQUIRE(tell(mounted));
  CHECK(keeper.request().find("Authorization") == std::string::npos);
  mounted.directory().write(k_webhook_token_key, "another");
  REQUIRE(tell(mounted));
  CHECK(keeper.request().find("Authorization: Bearer another\r\n") != std::string::npos);
  mounted.directory().write(k_webhook_token_key, "two\r\nX-Evil: lines");
  CHECK(discreet(tell(mounted)).code == ErrorCode::invalid_argument);
}

TEST_CASE("a Secret that is not there is said by the name of the key") {
  Mounted mounted("http://127.0.0.1:1");
  mounted.settings.secret_dir += "/absent";
  const Error error = discreet(tell(mounted));
  CHECK(error.code == ErrorCode::not_found);
  CHECK(error.message == "the key webhook-url of the Secret cannot be read");
  CHECK(error.hint.find("notify.existingSecret") != std::string::npos);
  CHECK(discreet(ping(mounted)).message.find("dead-man-url") != std::string::npos);
}

TEST_CASE("a redirect is not followed, to another host least of all") {
  Keeper elsewhere;
  for (const int status : {301, 302, 303, 307, 308}) {
    const LoopbackServer server(
        answering(response(status, "", "Location: " + elsewhere.server.url() + "/x\r\n")));
    const Error error = discreet(tell(Mounted(server.url())));
    CHECK(error.code == ErrorCode::unsupported);
    CHECK(error.http_status == status);
    CHECK(error.message.find("not followed") != std::string::npos);
    CHECK(server.connections() == 1);
  }
  CHECK(elsewhere.server.connections() == 0);
}

TEST_CASE("what a receiver refuses is told by its status") {
  const auto code = [](int status) {
    const LoopbackServer server(answering(response(status, "no")));
    return discreet(tell(Mounted(server.url()))).code;
  };
  CHECK(code(500) == ErrorCode::unavailable);
  CHECK(code(503) == ErrorCode::unavailable);
  CHECK(code(429) == ErrorCode::throttled);
  CHECK(code(404) == ErrorCode::not_found);
  CHECK(code(403) == ErrorCode::permission_denied);
  CHECK(verdict_of(204));
}

TEST_CASE("a receiver that says 200 and means no has not got it") {
  const auto error = [](const std::string& answer) {
    const LoopbackServer server(answering(answer));
    return discreet(ping(Mounted(server.url())));
  };
  // healthchecks.io, of a check that is none
  const Error nothing = error(response(200, "OK (not found)"));
  CHECK(nothing.code == ErrorCode::not_found);
  CHECK(nothing.http_status == 200);
  CHECK(
      error("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\ne\r\nOK (not found)\r\n0\r\n\r\n")
          .code == ErrorCode::not_found);
  CHECK(error(response(200, "OK (rate limited)")).code == ErrorCode::throttled);
  // Slack's chat.postMessage
  const Error slack = error(response(200, R"({"ok":false,"error":"channel_not_found"})"));
  CHECK(slack.code == ErrorCode::permission_denied);
  CHECK(slack.message.ends_with("did not take the message (channel_not_found)"));
  CHECK(error(response(200, R"({"ok": false, "error": "not_in_channel"})"))
            .message.ends_with("(not_in_channel)")); // as others write JSON
  // What is no word may be anything.
  CHECK(error(response(200, R"({"ok":false,"error":"no s3cr3t-path"})"))
            .message.ends_with("did not take the message"));
  CHECK(error(response(200, R"({"errcode":310000,"errmsg":"sign not match"})")).code ==
        ErrorCode::permission_denied);
  for (
      const char* body :
      {R"({"code":19001,"data":{},"msg":"param invalid: incoming webhook access token invalid"})", // Feishu
       R"({"code":900,"msg":"no such token","data":null})"}) { // PushPlus
    CHECK(error(response(200, body)).code == ErrorCode::permission_denied);
  }
}

TEST_CASE("a receiver that says 200 and means it has got it, whatever else it says") {
  for (const char* body :
       {"OK",
        "OK (created)",
        "ok",
        "",
        R"({"ok":true})",
        R"({"errcode":0,"errmsg":"ok"})",
        R"({"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"})",
        R"({"code":200,"msg":"ok","data":"7f3a"})",
        R"({"code":200,"message":"success","timestamp":1764460800})",
        R"({"id":7,"code":1234})",
        R"({"id":"x","message":"{\"ok\":false"})"}) {
    CAPTURE(body);
    const LoopbackServer server(answering(response(200, body)));
    CHECK(ping(Mounted(server.url())));
  }
}

TEST_CASE("the CA, the limits of time and the word to stop are those of the settings") {
  const auto certificates = kube::test::make_certificates("IP:127.0.0.1");
  Keeper keeper(&certificates);
  Mounted mounted(keeper.server.url());
  mounted.directory().write("ca.crt", certificates.ca);
  mounted.settings.ca_file = mounted.directory().path("ca.crt");
  REQUIRE(tell(mounted));
  REQUIRE(ping(mounted));
  mounted.directory().write("ca.crt", kube::test::make_certificates("IP:127.0.0.1").ca);
  CHECK(discreet(tell(mounted)).message.find("TLS") != std::string::npos);

  const LoopbackServer silent([](kube::test::Peer& peer) { peer.wait_closed(); });
  Mounted patient(silent.url());
  patient.settings.limits.whole = std::chrono::milliseconds(50);
  CHECK(discreet(tell(patient)).code == ErrorCode::timeout);
  std::stop_source stop;
  stop.request_stop();
  CHECK(discreet(tell(patient, stop.get_token())).code == ErrorCode::cancelled);
  CHECK(discreet(ping(patient, stop.get_token())).code == ErrorCode::cancelled);
}
