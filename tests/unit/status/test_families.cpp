#include "status/families.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace rb;
using namespace rb::status;

namespace {

bool has(const std::string& text, const std::string& line) {
  return text.find(line + "\n") != std::string::npos;
}

} // namespace

TEST_CASE("what never happened is there, with 0, for every kind of artifact") {
  api::NodeFacts facts;
  facts.node_name = "server-1";
  const std::string text = exposition(families_of({facts}));
  CHECK(has(text, "railiance_backup_never_ran{node=\"server-1\"} 1"));
  for (const auto type : api::k_all_artifacts) {
    CHECK(has(text,
              "railiance_backup_last_success_timestamp_seconds{artifact=\"" +
                  std::string(api::stored_word(type, api::DatastoreKind::etcd)) +
                  "\",node=\"server-1\"} 0"));
  }
  CHECK(has(text, "railiance_backup_last_attempt_state{state=\"Failed\",node=\"server-1\"} 0"));
  CHECK(has(text, "railiance_backup_last_drill_timestamp_seconds{node=\"server-1\"} 0"));
}

TEST_CASE(
    "revision and keys of SQLite stand under the datastore's names, and under those of before") {
  api::NodeFacts facts;
  facts.node_name = "n";
  facts.datastore = api::Datastore::sqlite;
  facts.etcd_revision = 4711;
  facts.etcd_keys = 815;
  const std::string text = exposition(families_of({facts}));
  for (const char* const name : {"datastore", "etcd"}) {
    CAPTURE(name);
    const std::string prefix = std::string("railiance_backup_") + name;
    CHECK(has(text, prefix + "_revision{node=\"n\"} 4711"));
    CHECK(has(text, prefix + "_keys{node=\"n\"} 815"));
  }
}

TEST_CASE("the last check of all sets has its time, and how many it found bad") {
  api::NodeFacts facts;
  facts.node_name = "n";
  facts.last_verify_time = SystemTime(std::chrono::seconds(1795348841));
  facts.last_verify_result = "Damaged";
  facts.last_verify_sets = 7;
  facts.last_verify_bad_sets = 2;
  const std::string text = exposition(families_of({facts}));
  CHECK(has(text, "railiance_backup_last_verify_timestamp_seconds{node=\"n\"} 1795348841"));
  CHECK(has(text, "railiance_backup_last_verify_bad_sets{node=\"n\"} 2"));
}

TEST_CASE("times are whole seconds, and sizes whole bytes") {
  api::NodeFacts facts;
  facts.node_name = "n";
  facts.last_success_time = SystemTime(std::chrono::seconds(1795348841));
  facts.disk_free_bytes = 9007199254740991;
  const std::string text = exposition(families_of({facts}));
  CHECK(has(text, "railiance_backup_last_complete_timestamp_seconds{node=\"n\"} 1795348841"));
  CHECK(has(text, "railiance_backup_disk_free_bytes{node=\"n\"} 9007199254740991"));
}

TEST_CASE("a label cannot break the format") {
  const Family family{"m", "help with \\ and\nline", {{{{"l", "a\"b\\c\nd"}}, 1}}};
  CHECK(exposition({family}) ==
        "# HELP m help with \\\\ and\\nline\n# TYPE m gauge\nm{l=\"a\\\"b\\\\c\\nd\"} 1\n");
}

TEST_CASE("each family has a name of its own and says what it is") {
  std::vector<std::string> names;
  for (const Family& family : families_of({})) {
    names.push_back(family.name);
    CAPTURE(family.name);
    CHECK(family.name.starts_with("railiance_backup_"));
    CHECK(family.help.find_first_not_of(' ') == 0);
    CHECK_FALSE(family.help.empty());
  }
  std::sort(names.begin(), names.end());
  CHECK(std::adjacent_find(names.begin(), names.end()) == names.end());
}
