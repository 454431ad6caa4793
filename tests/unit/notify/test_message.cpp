// The bodies that receivers take.
#include "notify/message.hpp"

#include "base/bytes.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace rb;
using namespace rb::notify;

namespace {

Message failed_run() {
  Message message;
  message.kind = MessageKind::problem;
  message.topic = "run";
  message.time = parse_rfc3339("2026-11-22T02:00:41Z").value();
  message.title = "home: backup failed: StorageFull";
  message.text = "run 20261122T020000Z (nightly) on node n1 ended\nwhat to do: \"look\"";
  message.cluster = "home";
  message.node = "n1";
  message.run_id = "20261122T020000Z";
  message.reason = "StorageFull";
  return message;
}

nlohmann::json body(WebhookFormat format, const std::string& text = {}) {
  const auto request = webhook_request(format, text, failed_run());
  REQUIRE(request);
  CHECK(request->content_type == "application/json");
  return nlohmann::json::parse(request->body);
}

} // namespace

TEST_CASE("json: all fields, flat") {
  const auto json = body(WebhookFormat::json);
  CHECK(json.at("title") == "home: backup failed: StorageFull");
  CHECK(json.at("message") == failed_run().text);
  CHECK(json.at("severity") == "error");
  CHECK(json.at("cluster") == "home");
  CHECK(json.at("topic") == "run");
  CHECK(json.at("node") == "n1");
  CHECK(json.at("run") == "20261122T020000Z");
  CHECK(json.at("reason") == "StorageFull");
  CHECK(json.at("time") == "2026-11-22T02:00:41Z");
  CHECK(json.size() == 10);
}

TEST_CASE("slack: what a message quotes is no link and calls nobody") {
  Message message = failed_run();
  message.title = "a & b";
  message.text = "<!channel> of node <https://evil.example|look here>: dial tcp: <nil>";
  const auto request = webhook_request(WebhookFormat::slack, {}, message);
  REQUIRE(request);
  CHECK(nlohmann::json::parse(request->body).at("text") ==
        "*a &amp; b*\n&lt;!channel&gt; of node &lt;https://evil.example|look here&gt;: dial tcp: "
        "&lt;nil&gt;");
}

TEST_CASE("slack: one text") {
  const auto json = body(WebhookFormat::slack);
  CHECK(json.size() == 1);
  CHECK(json.at("text") == "*home: backup failed: StorageFull*\n" + failed_run().text);
}

TEST_CASE("matrix: PUT, and the same message has the same transaction id") {
  const auto request = webhook_request(WebhookFormat::matrix, {}, failed_run()).value();
  CHECK(request.method == "PUT");
  CHECK(request.path_suffix == "/" + id_of(failed_run()));
  const auto json = nlohmann::json::parse(request.body);
  CHECK(json.at("msgtype") == "m.text");
  CHECK(json.at("body") == failed_run().title + "\n" + failed_run().text);

  Message later = failed_run();
  later.time += std::chrono::seconds(1);
  CHECK(id_of(later) != id_of(failed_run()));
  CHECK(id_of(failed_run()).size() == 32);
}

TEST_CASE("ntfy: the text as it is, the title as a header of one line") {
  Message message = failed_run();
  message.title = "a\r\nX-Evil: 1\x7f";
  const auto request = webhook_request(WebhookFormat::ntfy, {}, message).value();
  CHECK(request.method == "POST");
  CHECK(request.body == message.text);
  REQUIRE(request.headers.size() == 3);
  CHECK(request.headers[0].first == "Title");
  CHECK(request.headers[0].second == "a??X-Evil: 1?");
  CHECK(request.headers[1] == std::pair<std::string, std::string>("Priority", "high"));
  message.kind = MessageKind::recovered;
  CHECK(webhook_request(WebhookFormat::ntfy, {}, message).value().headers[1].second == "default");
}

TEST_CASE("ntfy: a title that is not ASCII is an encoded word, cut between characters") {
  const auto title = [](std::string text) {
    Message message = failed_run();
    message.title = std::move(text);
    return webhook_request(WebhookFormat::ntfy, {}, message).value().headers[0].second;
  };
  CHECK(title("B\xc3\xbcro: backup\r\nX: failed") ==
        "=?UTF-8?B?" + to_base64(as_bytes("B\xc3\xbcro: backup??X: failed")) + "?=");
  const std::string long_title = std::string(199, 'x') + "\xc3\xbc" + "y";
  CHECK(title(long_title) == std::string(199, 'x'));
  CHECK(title(std::string(198, 'x') + "\xc3\xbcy") ==
        "=?UTF-8?B?" + to_base64(as_bytes(std::string(198, 'x') + "\xc3\xbc")) + "?=");
}

TEST_CASE("a template is filled in its strings, wherever they are, and stays JSON") {
  const auto json = body(WebhookFormat::json, R"json({
    "content": "**{{title}}** ({{severity}})",
    "embeds": [{"description": "{{message}}", "colour": 3, "none": null}],
    "{{title}}": "{{cluster}}{{cluster}} {{unknown}} {{ title }} {{",
    "all": "{{topic}} {{node}} {{run}} {{reason}} {{time}}"})json");
  CHECK(json.at("content") == "**home: backup failed: StorageFull** (error)");
  CHECK(json.at("embeds").at(0).at("description") == failed_run().text); // with its quotes
  CHECK(json.at("embeds").at(0).at("colour") == 3);
  CHECK(json.at("{{title}}") == "homehome {{unknown}} {{ title }} {{");
  CHECK(json.at("all") == "run n1 20261122T020000Z StorageFull 2026-11-22T02:00:41Z");
}

TEST_CASE("what is put into a template is not looked at again") {
  Message message = failed_run();
  message.text = "{{title}} \",\"x\":\"";
  const auto request = webhook_request(WebhookFormat::json, R"(["{{message}}"])", message).value();
  CHECK(nlohmann::json::parse(request.body).at(0) == message.text);
}

TEST_CASE("a template that is no JSON, or is too deep or too long, is refused by its name") {
  for (const std::string& text : {std::string("{\"a\": {{title}}}"),
                                  std::string("{"),
                                  std::string(40, '[') + std::string(40, ']'),
                                  "\"" + std::string(20000, 'x') + "\""}) {
    const auto request = webhook_request(WebhookFormat::json, text, failed_run());
    REQUIRE_FALSE(request);
    CHECK(request.error().code == ErrorCode::invalid_argument);
    CHECK(request.error().hint.find("notify.webhook.template") != std::string::npos);
  }
}

TEST_CASE("bytes that are no UTF-8 do not keep a message from being told") {
  Message message = failed_run();
  message.text = "\xff\xfe";
  for (const auto& word : words_of(WebhookFormat{})) {
    CHECK(webhook_request(word.value, {}, message));
  }
}

TEST_CASE("a dead-man check is told start, success, failure with its reason, and a test apart") {
  Message message = failed_run();
  const auto fail = dead_man_request(DeadManFormat::healthchecks, message);
  CHECK(fail.method == "POST");
  CHECK(fail.path_suffix == "/fail");
  CHECK(fail.body == message.title + "\n" + message.text + "\n");
  message.kind = MessageKind::started;
  CHECK(dead_man_request(DeadManFormat::healthchecks, message).method == "GET");
  CHECK(dead_man_request(DeadManFormat::healthchecks, message).path_suffix == "/start");
  message.kind = MessageKind::succeeded;
  CHECK(dead_man_request(DeadManFormat::healthchecks, message).path_suffix.empty());
  CHECK(dead_man_request(DeadManFormat::healthchecks, message).body.empty());
  message.kind = MessageKind::test;
  CHECK(dead_man_request(DeadManFormat::healthchecks, message).path_suffix == "/log");
}

TEST_CASE("other services are told what they can be told") {
  Message message = failed_run();
  CHECK(dead_man_request(DeadManFormat::betterstack, message).path_suffix == "/fail");
  using Query = std::vector<std::pair<std::string, std::string>>;
  CHECK(dead_man_request(DeadManFormat::cronitor, message).query ==
        Query{{"state", "fail"}, {"message", message.title}});
  CHECK(dead_man_request(DeadManFormat::uptime_kuma, message).query ==
        Query{{"status", "down"}, {"msg", message.title}});
  message.kind = MessageKind::started;
  CHECK(dead_man_request(DeadManFormat::cronitor, message).query.at(0).second == "run");
  for (const MessageKind kind : {MessageKind::succeeded, MessageKind::test}) {
    message.kind = kind;
    CHECK(dead_man_request(DeadManFormat::cronitor, message).query.at(0).second == "complete");
    CHECK(dead_man_request(DeadManFormat::uptime_kuma, message).query.at(0).second == "up");
    for (const DeadManFormat format : {DeadManFormat::betterstack, DeadManFormat::ping}) {
      const auto request = dead_man_request(format, message);
      CHECK(request.method == "GET");
      CHECK(request.path_suffix.empty());
      CHECK(request.query.empty());
    }
  }
  CHECK_FALSE(knows_starts(DeadManFormat::uptime_kuma));
  CHECK_FALSE(knows_problems(DeadManFormat::ping));
}
