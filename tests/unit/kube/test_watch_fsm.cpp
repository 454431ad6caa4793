#include "fakes.hpp"

#include "base/json_fields.hpp"
#include "kube/watch_fsm.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace rb;
using namespace rb::kube;
using nlohmann::json;
using rb::kube::test::event_line;
using rb::kube::test::object;
using rb::kube::test::status_body;

namespace {

struct Lines {
  std::vector<std::string> seen;
  LineFramer::LineSink sink = [this](std::string_view line) {
    seen.emplace_back(line);
    return true;
  };
};

/// The outputs as words, so that a test reads as a transcript.
std::vector<std::string> words(const std::vector<WatchOutput>& outputs) {
  std::vector<std::string> said;
  for (const WatchOutput& output : outputs) {
    if (const auto* upsert = std::get_if<Upsert>(&output)) {
      said.push_back("upsert " + upsert->object["metadata"]["name"].get<std::string>());
    } else if (const auto* gone = std::get_if<Delete>(&output)) {
      said.push_back("delete " + gone->id.name + "/" + gone->id.uid);
    } else if (std::holds_alternative<Synced>(output)) {
      said.emplace_back("synced");
    } else if (std::holds_alternative<VersionsWentBack>(output)) {
      said.emplace_back("went back");
    } else if (const auto* report = std::get_if<Report>(&output)) {
      said.push_back("report " + std::string(to_string(report->error.code)));
    } else if (const auto* list = std::get_if<DoList>(&output)) {
      said.push_back("list" + (list->continue_token.empty() ? "" : " " + list->continue_token) +
                     (list->after_failure ? " after failure" : ""));
    } else if (const auto* watch = std::get_if<DoWatch>(&output)) {
      said.push_back("watch " + watch->resource_version);
    }
  }
  return said;
}

using Words = std::vector<std::string>;

/// A machine that has listed `a` at version 10 and watches.
WatchFsm watching() {
  WatchFsm fsm;
  (void)fsm.start();
  (void)fsm.on(Listed{json::array({object("a", "9", "u-a")}), "10", {}});
  return fsm;
}

Words line(WatchFsm& fsm, const std::string& text) {
  return words(fsm.on(LineReceived{text}));
}

constexpr WatchEnded k_in_time{true};
constexpr WatchEnded k_early{false};

CallFailed failed(ErrorCode code) {
  return {Error{code, "x", {}}};
}

} // namespace

TEST_CASE("a line comes out when its line feed is there, in however many pieces") {
  LineFramer framer(100);
  Lines lines;
  for (const char* piece : {"{\"a\"", ":1}", "\n{\"b\":2}\n{\"c", "\":3}", "\n"}) {
    REQUIRE(framer.push(piece, lines.sink));
  }
  CHECK(lines.seen == std::vector<std::string>{"{\"a\":1}", "{\"b\":2}", "{\"c\":3}"});
  CHECK(framer.pending_bytes() == 0);
}

TEST_CASE("empty lines are dropped and a carriage return is no end of a line") {
  LineFramer framer(100);
  Lines lines;
  REQUIRE(framer.push("\n\na\rb\n\n", lines.sink));
  CHECK(lines.seen == std::vector<std::string>{"a\rb"});
}

TEST_CASE("a line of the limit passes, one byte more does not") {
  LineFramer framer(4);
  Lines lines;
  CHECK(framer.push("abcd\n", lines.sink));
  CHECK(framer.push("ab", lines.sink));
  CHECK(framer.push("cd\n", lines.sink));
  CHECK(lines.seen.size() == 2);
  CHECK(framer.push("abc", lines.sink));
  const auto refused = framer.push("de", lines.sink);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::unsupported);
}

TEST_CASE("the sink ends the framer") {
  LineFramer framer(100);
  int seen = 0;
  const auto more = framer.push("a\nb\nc\n", [&](std::string_view) { return ++seen < 2; });
  CHECK_FALSE(more.value());
  CHECK(seen == 2);
}

TEST_CASE("the list is told by pages, then comes the watch from its version") {
  WatchFsm fsm;
  CHECK(words(fsm.start()) == Words{"list"});
  CHECK(words(fsm.on(Listed{json::array({object("a", "1"), object("b", "2")}), "10", "token"})) ==
        Words{"upsert a", "upsert b", "list token"});
  CHECK_FALSE(fsm.synced());
  CHECK(words(fsm.on(Listed{json::array({object("c", "3")}), "10", {}})) ==
        Words{"upsert c", "synced", "watch 10"});
  CHECK(fsm.synced());
}

TEST_CASE("changes are told and move the version") {
  WatchFsm fsm = watching();
  CHECK(line(fsm, event_line("ADDED", object("b", "11"))) == Words{"upsert b"});
  CHECK(line(fsm, event_line("MODIFIED", object("b", "12"))) == Words{"upsert b"});
  CHECK(line(fsm, event_line("DELETED", object("b", "13", "u-b"))) == Words{"delete b/u-b"});
  CHECK(fsm.resource_version() == "13");
  CHECK(words(fsm.on(k_in_time)) == Words{"watch 13"});
}

TEST_CASE("a bookmark and an unknown kind of event move the version alone") {
  WatchFsm fsm = watching();
  const json bookmark{{"metadata", {{"resourceVersion", "50"}}}};
  CHECK(line(fsm, event_line("BOOKMARK", bookmark)).empty());
  CHECK(fsm.resource_version() == "50");
  CHECK(line(fsm, event_line("RENAMED", object("a", "51"))).empty());
  CHECK(fsm.resource_version() == "51");
}

TEST_CASE("a 410 in the stream and a 410 as the status of the watch both lead to a list") {
  WatchFsm in_stream = watching();
  CHECK(line(in_stream, event_line("ERROR", json_of(status_body(410, "Expired", "too old")))) ==
        Words{"report gone", "list after failure"});
  WatchFsm as_status = watching();
  CHECK(words(as_status.on(failed(ErrorCode::gone))) == Words{"report gone", "list after failure"});
  CHECK(as_status.resource_version().empty());
}

TEST_CASE("another error in the stream leads to a list, too: the server may be another one now") {
  WatchFsm fsm = watching();
  CHECK(line(fsm, event_line("ERROR", json_of(status_body(500, "InternalError", "oops")))) ==
        Words{"report unavailable", "list after failure"});
}

TEST_CASE("what vanished while nobody looked is deleted at the next list") {
  WatchFsm fsm = watching();
  (void)line(fsm, event_line("ADDED", object("b", "11", "u-b")));
  (void)fsm.on(failed(ErrorCode::gone));
  CHECK(words(fsm.on(Listed{json::array({object("b", "20", "u-b")}), "21", {}})) ==
        Words{"upsert b", "delete a/u-a", "synced", "watch 21"});
}

TEST_CASE("a name that was used again is deleted with its old uid before it is told") {
  WatchFsm fsm = watching();
  CHECK(line(fsm, event_line("ADDED", object("a", "12", "u-new"))) ==
        Words{"delete a/u-a", "upsert a"});
}

TEST_CASE("objects of the same name in two namespaces are two objects") {
  WatchFsm fsm;
  (void)fsm.start();
  (void)fsm.on(
      Listed{json::array({object("a", "1", "u1", "n1"), object("a", "2", "u2", "n2")}), "10", {}});
  (void)fsm.on(failed(ErrorCode::gone));
  CHECK(words(fsm.on(Listed{json::array({object("a", "1", "u1", "n1")}), "11", {}})) ==
        Words{"upsert a", "delete a/u2", "synced", "watch 11"});
}

TEST_CASE("after every outage comes a list: the server may have been restored meanwhile") {
  for (const ErrorCode code : {ErrorCode::unavailable,
                               ErrorCode::timeout,
                               ErrorCode::throttled,
                               ErrorCode::unauthenticated,
                               ErrorCode::permission_denied,
                               ErrorCode::unsupported}) {
    CAPTURE(to_string(code));
    WatchFsm fsm = watching();
    CHECK(words(fsm.on(failed(code))) ==
          Words{"report " + std::string(to_string(code)), "list after failure"});
  }
}

TEST_CASE("a watch that ends in time is resumed once; the second one is followed by a list") {
  WatchFsm fsm = watching();
  for (int round = 0; round < 3; ++round) {
    CHECK(words(fsm.on(k_in_time)) == Words{"watch 10"});
    CHECK(words(fsm.on(k_in_time)) == Words{"list"});
    CHECK(words(fsm.on(Listed{json::array({object("a", "9", "u-a")}), "10", {}})) ==
          Words{"upsert a", "synced", "watch 10"});
  }
}

TEST_CASE(
    "a watch that ends early is followed by a list, and by a pause where it brought nothing") {
  WatchFsm silent = watching();
  CHECK(words(silent.on(k_early)) == Words{"list after failure"});
  WatchFsm busy = watching();
  (void)line(busy, event_line("MODIFIED", object("a", "20", "u-a")));
  CHECK(words(busy.on(k_early)) == Words{"list"});
}

TEST_CASE("an event or a bookmark older than the version that is known: it went back, list anew") {
  const json bookmark{{"metadata", {{"resourceVersion", "9"}}}};
  for (const std::string& text : {event_line("MODIFIED", object("a", "9", "u-a")),
                                  event_line("DELETED", object("a", "9", "u-a")),
                                  event_line("BOOKMARK", bookmark)}) {
    WatchFsm fsm = watching();
    CHECK(line(fsm, text) == Words{"went back", "report gone", "list"});
    CHECK(words(fsm.on(Listed{json::array(), "8", {}})) ==
          Words{"delete a/u-a", "synced", "watch 8"});
  }
}

TEST_CASE("versions that are no numbers are not compared") {
  WatchFsm fsm = watching();
  CHECK(line(fsm, event_line("MODIFIED", object("a", "x9", "u-a"))) == Words{"upsert a"});
}

TEST_CASE(
    "when somebody else found out that the versions went back, all is listed from the start") {
  WatchFsm fsm = watching();
  CHECK(words(fsm.on(WentBack{})) == Words{"report gone", "list"});
  CHECK(words(fsm.on(Listed{json::array({object("b", "2", "u-b")}), "5", "token"})) ==
        Words{"upsert b", "list token"});
  CHECK(words(fsm.on(WentBack{})) == Words{"report gone", "list"}); // in the middle of a list
  CHECK(words(fsm.on(Listed{json::array({object("c", "2", "u-c")}), "4", {}})) ==
        Words{"upsert c", "delete a/u-a", "delete b/u-b", "synced", "watch 4"});
}

TEST_CASE("a page token that expired starts the list over without losing or inventing deletes") {
  WatchFsm fsm;
  (void)fsm.start();
  (void)fsm.on(Listed{json::array({object("a", "1", "u-a")}), "10", "token"});
  CHECK(words(fsm.on(failed(ErrorCode::gone))) == Words{"report gone", "list after failure"});
  CHECK(words(fsm.on(Listed{json::array({object("b", "2", "u-b")}), "11", {}})) ==
        Words{"upsert b", "delete a/u-a", "synced", "watch 11"});
}

TEST_CASE("a list that fails is tried again, before and after the first sync") {
  WatchFsm fsm;
  (void)fsm.start();
  CHECK(words(fsm.on(failed(ErrorCode::unavailable))) ==
        Words{"report unavailable", "list after failure"});
  CHECK(words(fsm.on(failed(ErrorCode::permission_denied))) ==
        Words{"report permission_denied", "list after failure"});
}

TEST_CASE("lines that are no events are reported and end the watch") {
  for (const char* bad :
       {"{",
        "[]",
        "5",
        "{}",
        R"({"type":"ADDED"})",
        R"({"type":"ADDED","object":[]})",
        R"({"type":"ADDED","object":{}})",
        R"({"type":5,"object":{"metadata":{"name":"x","resourceVersion":"1"}}})",
        R"({"type":"ADDED","object":{"metadata":{"name":5,"resourceVersion":"1"}}})",
        R"({"type":"ADDED","object":{"metadata":{"name":"x"}}})",
        "\xff\xfe"}) {
    CAPTURE(bad);
    WatchFsm fsm = watching();
    CHECK(line(fsm, bad) == Words{"report corrupt", "list after failure"});
  }
}

TEST_CASE("managedFields are left out") {
  WatchFsm fsm = watching();
  json big = object("b", "11");
  big["metadata"]["managedFields"] = json::array({1, 2, 3});
  const auto outputs = fsm.on(LineReceived{event_line("ADDED", big)});
  CHECK_FALSE(std::get<Upsert>(outputs.at(0)).object["metadata"].contains("managedFields"));
}

TEST_CASE("Retry-After of a failed call is passed on") {
  WatchFsm fsm = watching();
  Error slow{ErrorCode::throttled, "x", {}};
  slow.retry_after = std::chrono::seconds(9);
  const auto outputs = fsm.on(CallFailed{slow});
  CHECK(std::get<DoList>(outputs.at(1)).retry_after == std::chrono::seconds(9));
}
