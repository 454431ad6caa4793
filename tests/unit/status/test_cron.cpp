#include "status/cron.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::status;
using std::chrono::hours;
using std::chrono::minutes;

namespace {

SystemTime at(const char* text) {
  return parse_rfc3339(text).value();
}

std::string next(const char* cron, const char* after) {
  const auto time = Cron::parse(cron).value().next(at(after));
  return time ? format_rfc3339(*time) : "never";
}

std::chrono::seconds pause(const char* cron) {
  return Cron::parse(cron).value().longest_pause(at("2026-11-22T02:00:00Z")).value();
}

} // namespace

TEST_CASE("Cron::next is the first time after the one given, never that one itself") {
  CHECK(next("0 2 * * *", "2026-11-22T01:59:59Z") == "2026-11-22T02:00:00Z");
  CHECK(next("0 2 * * *", "2026-11-22T02:00:00Z") == "2026-11-23T02:00:00Z");
  CHECK(next("*/15 * * * *", "2026-12-31T23:50:00Z") == "2027-01-01T00:00:00Z");
  CHECK(next("30 4 1 */2 *", "2026-11-22T00:00:00Z") == "2027-01-01T04:30:00Z");
  CHECK(next("0 0 29 2 *", "2026-11-22T00:00:00Z") == "2028-02-29T00:00:00Z");
}

TEST_CASE("Cron: two days that are named are either, one of them alone is that one") {
  // 2026-11-22 is a Sunday.
  CHECK(next("0 2 * * mon-fri", "2026-11-22T00:00:00Z") == "2026-11-23T02:00:00Z");
  CHECK(next("0 2 25 * *", "2026-11-22T00:00:00Z") == "2026-11-25T02:00:00Z");
  CHECK(next("0 2 25 * MON", "2026-11-22T00:00:00Z") == "2026-11-23T02:00:00Z");
  CHECK(next("0 2 25 * ?", "2026-11-22T00:00:00Z") == "2026-11-25T02:00:00Z");
}

TEST_CASE("Cron: days by a step are days that are named") {
  // As the cron of Kubernetes reads it: the 1st, 11th, 21st and 31st, and each Monday.
  CHECK(next("0 2 */10 * mon", "2026-11-22T03:00:00Z") == "2026-11-23T02:00:00Z");
  CHECK(next("0 2 */10 * mon", "2026-11-30T03:00:00Z") == "2026-12-01T02:00:00Z");
  CHECK(pause("0 2 */2 * 1") == hours(48));
  CHECK(next("0 2 */1 * tue", "2026-11-22T03:00:00Z") == "2026-11-24T02:00:00Z");
  CHECK(next("0 2 1,* * tue", "2026-11-22T03:00:00Z") == "2026-11-24T02:00:00Z");
}

TEST_CASE("Cron takes what CronJobs of the world have") {
  CHECK(pause("0 */24 * * *") == hours(24)); // a step beyond the field leaves its beginning
  CHECK(pause("*/60 * * * *") == hours(1));
  CHECK(pause("5/90 * * * *") == hours(1));
  CHECK(pause("59/4294967295 * * * *") == hours(1));
  CHECK(pause("0\t2 * * *") == hours(24));
  CHECK(pause(" 0 2 * * *\n") == hours(24)); // "cron: |" in values
}

TEST_CASE("Cron: words for schedules") {
  CHECK(next("@daily", "2026-11-22T00:00:00Z") == "2026-11-23T00:00:00Z");
  CHECK(next("@weekly", "2026-11-23T00:00:00Z") == "2026-11-29T00:00:00Z");
}

TEST_CASE("Cron::longest_pause is the longest one, over weekends and short months") {
  CHECK(pause("0 2 * * *") == hours(24));
  CHECK(pause("*/5 * * * *") == minutes(5));
  CHECK(pause("0 2 * * 1-5") == hours(72));
  CHECK(pause("0 8-17 * * *") == hours(15));
  CHECK(pause("0 0 31 * *") == hours(24 * 61)); // March to May
  CHECK(pause("* * * 1 *") == hours(24 * 335) + minutes(1));
}

TEST_CASE("Cron::longest_pause of a word") {
  CHECK(pause("@hourly") == hours(1));
  CHECK(pause("@daily") == hours(24));
  CHECK(pause("@midnight") == hours(24));
  CHECK(pause("@weekly") == hours(24 * 7));
  CHECK(pause("@monthly") == hours(24 * 31));
  CHECK(pause("@yearly") == hours(24 * 366)); // to a 1 January after a leap year
  CHECK(pause("@annually") == hours(24 * 366));
}

TEST_CASE("Cron: @every has a period, and no next time that the schedule could tell") {
  CHECK(pause("@every 24h") == hours(24));
  CHECK(pause("@every 1h30m") == minutes(90));
  CHECK(pause("@every 1.5h") == minutes(90));
  CHECK(pause("@every 90s") == std::chrono::seconds(90));
  CHECK(pause("@every 1m2500ms") == std::chrono::seconds(62));
  CHECK(pause("@every 5us") == std::chrono::seconds(1)); // never less, says robfig/cron
  CHECK(next("@every 24h", "2026-11-22T00:00:00Z") == "never");
}

TEST_CASE("Cron: a date that never comes has no next time and no pause") {
  const Cron cron = Cron::parse("0 0 30 2 *").value();
  CHECK_FALSE(cron.next(at("2026-11-22T00:00:00Z")));
  CHECK_FALSE(cron.longest_pause(at("2026-11-22T00:00:00Z")));
}

TEST_CASE("Cron refuses what Kubernetes would refuse") {
  for (const char* text : {"",
                           "0 2 * *",
                           "0 2 * * * *",
                           "60 2 * * *",
                           "0 24 * * *",
                           "0 2 0 * *",
                           "0 2 * 13 *",
                           "0 2 * * 8",
                           "5-1 * * * *",
                           "*/0 * * * *",
                           "*/-1 * * * *",
                           "*/4294967296 * * * *",
                           "0 2 * * *\n*",
                           "a * * * *",
                           "1, * * * *",
                           "-1 * * * *",
                           "@never",
                           "@every",
                           "@every ",
                           "@every 24",
                           "@every h",
                           "@every -1h",
                           "@every 1h-5m",
                           "@every 1e3s",
                           "@every infs",
                           "@every 1d",
                           "@every 1h ",
                           "@every 99999999h"}) {
    CAPTURE(text);
    const auto cron = Cron::parse(text);
    REQUIRE_FALSE(cron);
    CHECK(cron.error().code == ErrorCode::invalid_argument);
    CHECK(cron.error().message.find("is not a schedule") != std::string::npos);
  }
}
