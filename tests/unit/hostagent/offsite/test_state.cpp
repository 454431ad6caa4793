#include "fake_remote.hpp"
#include "offsite/state.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::offsite;

namespace {

State full() {
  State state;
  state.remote = "nextcloud:backups/cluster";
  state.replicated = {test::run_id_of_day(1), test::run_id_of_day(2)};
  state.kit = {{"RESTORE.md", std::string(64, 'a')}};
  state.tried = test::run_id_of_day(3);
  state.failures = 3;
  state.not_before = parse_run_id("20260201T000000Z").value();
  state.compared = parse_run_id("20260131T000000Z").value();
  state.read = {{test::run_id_of_day(1), state.compared}};
  state.reread_at = parse_run_id("20260130T000000Z").value();
  state.damaged = {{test::run_id_of_day(3), "etcd: damaged on this disk"}};
  state.trouble = Trouble{api::Reason::remote_full, "no \"space\" left"};
  return state;
}

} // namespace

TEST_CASE("the state is read back as it was written, from a file of mode 0600") {
  test::Backups backups;
  REQUIRE(write_state(backups.directory, full()));
  CHECK(read_state(backups.directory, full().remote) == full());
  CHECK(test::mode_of(backups.directory.path() + "/.offsite-state") == "600");
}

TEST_CASE("a state that was written before sets were read back in turn is read") {
  test::Backups backups;
  std::string text = serialize(full());
  const std::size_t from = text.find("  \"read\"");
  const std::size_t to = text.find("  \"trouble\"");
  REQUIRE(from < to);
  text.erase(from, to - from);
  const auto state = parse_state(text);
  REQUIRE(state);
  CHECK(state->replicated == full().replicated);
  CHECK(state->read.empty());
  CHECK(state->reread_at == SystemTime{});
}

TEST_CASE("another remote's state, a damaged one and none are an empty one") {
  test::Backups backups;
  State empty;
  empty.remote = "r:";
  CHECK(read_state(backups.directory, "r:") == empty);
  REQUIRE(write_state(backups.directory, full()));
  CHECK(read_state(backups.directory, "r:") == empty);
  for (const char* const text :
       {"",
        "{",
        "[]",
        "{\"schema\":\"railiance.io/offsite-state/v2\"}",
        "{\"schema\":\"railiance.io/offsite-state/v1\",\"remote\":\"r:\"}"}) {
    CAPTURE(text);
    test::write_file(backups.directory.path() + "/.offsite-state", text);
    CHECK(read_state(backups.directory, "r:") == empty);
  }
}
