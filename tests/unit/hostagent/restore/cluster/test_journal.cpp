#include "restore/cluster/journal.hpp"
#include "support/scratch.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::cluster;

namespace {

JournalState full_state() {
  JournalState state;
  state.phase = Phase::rolling_back;
  state.backup_dir = "/opt/backup";
  state.started = "2026-11-22T02:00:00Z";
  state.plan.run_id = "20261122T020000Z";
  state.plan.data_dir = "/data";
  state.plan.k3s_program = "/k3s";
  state.plan.kubeconfig = "/kubeconfig";
  state.plan.bare = true;
  state.plan.keep_config = true;
  state.plan.replacements = {{ReplacementKind::address, "192.0.2.10", "198.51.100.7"},
                             {ReplacementKind::interface, "enp7s0", "eth0"}};
  state.plan.was_active = true;
  state.plan.carried = {"--node-ip=1"};
  state.plan.steps = {Step::decrypt, Step::reset};
  state.completed = {Step::decrypt};
  state.current = Step::reset;
  state.failure = "why";
  state.recorded = true;
  state.had_etcd = true;
  state.old_databases = {"etcd-old-1"};
  state.saved = {"token"};
  state.files = {{"/etc/rancher/k3s/config.yaml", true}};
  state.before = {"agent", "server", "server/manifests"};
  state.made = {"/etc/rancher", "/etc/rancher/k3s"};
  state.saved_dir = "saved-2";
  JournalState first = state;
  first.phase = Phase::done;
  first.saved_dir = "saved";
  state.earlier = {first};
  return state;
}

} // namespace

TEST_CASE("a journal reads back as it was written") {
  const auto read = parse_journal(serialize(full_state()));
  REQUIRE(read);
  CHECK(serialize(*read) == serialize(full_state()));
  CHECK(read->phase == Phase::rolling_back);
  CHECK(read->is_complete(Step::decrypt));
  CHECK_FALSE(read->is_complete(Step::reset));
  CHECK(read->current == Step::reset);
  CHECK(read->plan.keep_config);
  CHECK(read->plan.replacements == full_state().plan.replacements);
}

TEST_CASE("a journal of an earlier release is read: nothing is known of what it did not note") {
  JournalState state = full_state();
  state.before.reset();
  state.made.clear();
  state.saved_dir = "saved";
  state.earlier.clear();
  std::string text = serialize(state);
  for (const std::string_view field : {R"(  "savedDir": "saved",)", R"(  "made": [],)"}) {
    const std::size_t at = text.find(field);
    REQUIRE(at != std::string::npos);
    text.erase(at, field.size());
  }
  const auto read = parse_journal(text);
  REQUIRE(read);
  CHECK(serialize(*read) == serialize(state));
}

TEST_CASE("a journal that leads out of its directory is corrupt") {
  for (const char* const name : {"", "../saved", "/etc", "a/b"}) {
    CAPTURE(name);
    JournalState state = full_state();
    state.saved_dir = name;
    CHECK_FALSE(parse_journal(serialize(state)));
  }
}

TEST_CASE("a journal that is damaged is corrupt, never half believed") {
  const std::string whole = serialize(full_state());
  for (const std::string& text : {std::string(),
                                  std::string("{}"),
                                  std::string("[]"),
                                  whole.substr(0, whole.size() / 2),
                                  std::string(R"({"schema":"railiance.io/restore-journal/v2"})")}) {
    const auto read = parse_journal(text);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == ErrorCode::corrupt);
    CHECK_FALSE(read.error().hint.empty());
  }
}

TEST_CASE("no journal is no error") {
  const test::Scratch scratch;
  const Journal journal(scratch.path("work"));
  CHECK_FALSE(*journal.load());
  REQUIRE(journal.save(full_state()));
  CHECK((*journal.load())->plan.run_id == "20261122T020000Z");
  scratch.write("work/journal.json", "garbage");
  CHECK_FALSE(journal.load());
}
