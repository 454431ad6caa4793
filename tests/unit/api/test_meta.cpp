#include "api/meta.hpp"
#include "base/json_fields.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace rb;
using namespace rb::api;

namespace {

const SystemTime k_then = parse_run_id("20260101T000000Z").value();
const SystemTime k_later = parse_run_id("20260101T000100Z").value();

Condition condition(ConditionStatus status, std::string message) {
  return {"Verified", status, "Running", std::move(message), {}, 1};
}

/// A status that has nothing but conditions.
struct OnlyConditions {
  std::vector<Condition> conditions;
};

void fields(JsonFields& json, OnlyConditions& status) {
  json.always("conditions", status.conditions);
}

Result<std::vector<Condition>> conditions_from_json(const nlohmann::json& list) {
  const nlohmann::json status{{"conditions", list}};
  RB_TRY_ASSIGN(OnlyConditions read, from_json_fields<OnlyConditions>(status));
  return std::move(read.conditions);
}

} // namespace

TEST_CASE("set_condition keeps the transition time unless the status flips") {
  std::vector<Condition> conditions;
  set_condition(conditions, condition(ConditionStatus::unknown, "one"), k_then);
  set_condition(conditions, condition(ConditionStatus::unknown, "two"), k_later);
  REQUIRE(conditions.size() == 1);
  CHECK(conditions[0].message == "two");
  CHECK(conditions[0].last_transition_time == k_then);
  set_condition(conditions, condition(ConditionStatus::true_, "three"), k_later);
  CHECK(conditions[0].last_transition_time == k_later);
}

TEST_CASE("conditions survive the way through JSON") {
  std::vector<Condition> conditions;
  set_condition(conditions, condition(ConditionStatus::false_, "a message"), k_then);
  CHECK(conditions_from_json(to_json(conditions)).value() == conditions);
}

TEST_CASE("a message is cut at 1,024 characters and not inside a UTF-8 sequence") {
  std::vector<Condition> conditions;
  std::string text;
  while (text.size() < 2000) {
    text += "\xc3\xa4";
  }
  set_condition(conditions, condition(ConditionStatus::false_, "x" + text), k_then);
  const auto sent = to_json(conditions)[0]["message"].get<std::string>();
  CHECK(sent.size() <= 1024);
  CHECK_NOTHROW(nlohmann::json(sent).dump());
}

TEST_CASE("conditions of another form are refused") {
  CHECK(conditions_from_json(json_of(R"([{"type":"A"}])")).error().code == ErrorCode::corrupt);
}

TEST_CASE("a condition's status in a word of a newer release says nothing") {
  const auto read = conditions_from_json(
      json_of(R"([{"type":"A","status":"Maybe","lastTransitionTime":"2026-01-01T00:00:00Z"}])"));
  REQUIRE(read);
  CHECK(read->at(0).status == ConditionStatus::unknown);
}
