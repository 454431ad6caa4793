// Holds: a journal reads back as it was written and is never half believed; its place is found
// again, and nothing that isn't one is believed; the second restore on a host is told so.
#include "restore/cluster/journal.hpp"
#include "support/scratch.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

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
  state.plan.credentials = {"/data/server/tls/oidc-ca.pem"};
  state.plan.steps = {Step::decrypt, Step::reset};
  state.completed = {Step::decrypt};
  state.current = Step::reset;
  state.failure = "why";
  state.recorded = true;
  state.had_database = true;
  state.old_databases = {"etcd-old-1"};
  state.state_aside = "state-old-1";
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
  CHECK(read->state_aside == "state-old-1");
  CHECK(read->plan.keep_config);
  CHECK(read->plan.credentials == full_state().plan.credentials);
  CHECK(read->plan.replacements == full_state().plan.replacements);
}

TEST_CASE("a journal of a rejoin says so, and what is joined; one of a restore does not") {
  JournalState state = full_state();
  CHECK(serialize(state).find("joining") == std::string::npos);
  CHECK(state.plan.command() == std::string_view("restore"));
  state.plan.steps.assign(k_rejoin_steps.begin(), k_rejoin_steps.end());
  state.plan.joining = Joining{"one (https://192.0.2.11:6443)",
                               "https://192.0.2.11:6443",
                               "https://192.0.2.11:9345",
                               3,
                               "/etc/rancher/k3s/config.yaml.d/zz-railiance-rejoin.yaml",
                               "server: https://192.0.2.11:9345\n"};
  state.earlier.clear();
  const auto read = parse_journal(serialize(state));
  REQUIRE(read);
  CHECK(serialize(*read) == serialize(state));
  REQUIRE(read->plan.joining);
  CHECK(read->plan.joining->supervisor_url == "https://192.0.2.11:9345");
  CHECK(read->plan.joining->servers == 3);
  CHECK(read->plan.command() == std::string_view("rejoin"));
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

TEST_CASE("the data directory that a journal begins is as k3s makes it, whatever the umask is") {
  const test::TemporaryDirectory directory;
  const mode_t before = ::umask(0077);
  const Status saved = Journal(directory.file("rancher/k3s/railiance-restore")).save(full_state());
  ::umask(before);
  REQUIRE(saved);
  CHECK(test::mode_of(directory.file("rancher")) == "755");
  CHECK(test::mode_of(directory.file("rancher/k3s")) == "755"); // volumes of users lie below it
  CHECK(test::mode_of(directory.file("rancher/k3s/railiance-restore")) == "700");
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

TEST_CASE("the data directory of the last restore is remembered") {
  const test::TemporaryDirectory temporary;
  const std::string file = temporary.file("rancher/restore.place");
  CHECK(remembered_place(file).empty());
  REQUIRE(remember_place("/data/k3s", file));
  CHECK(remembered_place(file) == "/data/k3s");
  CHECK(test::mode_of(file) == "600");
  REQUIRE(remember_place("/srv/other", file));
  CHECK(remembered_place(file) == "/srv/other");
}

TEST_CASE("a restore that left nothing is not remembered, and the one before it is again") {
  const test::TemporaryDirectory temporary;
  const std::string file = temporary.file("restore.place");
  REQUIRE(remember_place("/srv/other", file));
  REQUIRE(forget_place("/data/k3s", file));
  CHECK(remembered_place(file) == "/data/k3s");
  REQUIRE(forget_place({}, file));
  CHECK(remembered_place(file).empty());
  CHECK(forget_place({}, file)); // it is gone already
}

TEST_CASE("what is no absolute path on a line of its own is not believed") {
  const test::TemporaryDirectory temporary;
  const std::string file = temporary.file("place");
  for (const std::string text : {"", "\n", "data/k3s\n", "/data/k3s", "/a\n/b\n", "/a\n\n"}) {
    CAPTURE(text);
    test::write_file(file, text);
    CHECK(remembered_place(file).empty());
  }
  test::write_file(file, std::string_view("/a\0b\n", 5));
  CHECK(remembered_place(file).empty());
  test::write_file(file, "/" + std::string(5000, 'a') + "\n");
  CHECK(remembered_place(file).empty());
}

TEST_CASE("a place that can't be written to is an error") {
  const test::TemporaryDirectory temporary;
  test::write_file(temporary.file("file"), "");
  CHECK_FALSE(remember_place("/data/k3s", temporary.file("file/place")));
}

TEST_CASE("one restore at a time") {
  const test::Scratch scratch;
  const std::string path = scratch.path("lock");
  {
    const auto first = RestoreLock::acquire(path);
    REQUIRE(first);
    const auto second = RestoreLock::acquire(path);
    REQUIRE_FALSE(second);
    CHECK(second.error().code == ErrorCode::busy);
    CHECK(second.error().message.find("nothing was changed") != std::string::npos);
  }
  CHECK(RestoreLock::acquire(path));
}

TEST_CASE("the lock follows no link") {
  const test::Scratch scratch;
  scratch.write("mine", "kept");
  std::filesystem::create_symlink(scratch.path("mine"), scratch.path("lock"));
  CHECK_FALSE(RestoreLock::acquire(scratch.path("lock")));
  CHECK(scratch.read("mine") == "kept");
}
