// Two servers that copy sets of the same run into one directory: neither replaces what is the
// other's.
#include "offsite/namesakes.hpp"
#include "offsite_world.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::offsite;
using rb::test::run_id_of_day;
using World = rb::test::OffsiteWorld;

namespace {

using Nodes = std::map<std::string, std::string>;

/// Of all sets that lie here, with what is known to be over there.
Nodes namesakes(World& world, const State& state = {}) {
  world.remote.calls.clear();
  const auto there = world.remote.list({}).value();
  const auto nodes = nodes_of_namesakes(world.remote, there, world.backups.sets(), state, {});
  REQUIRE(nodes);
  return *nodes;
}

/// The manifests over there were fetched.
bool has_looked(const World& world) {
  return std::ranges::find(world.remote.calls, "get_small") != world.remote.calls.end();
}

} // namespace

TEST_CASE("a set over there of the same run is another node's where its manifest says so") {
  World world;
  for (int day = 1; day <= 4; ++day) {
    world.backups.add(day);
  }
  world.backups.add(5, false); // it will not be sent
  world.copy_from("cp-2", 1);
  world.copy_from("cp-3", 2);
  world.copy_from(test::make_manifest(run_id_of_day(3)).node_name, 3); // ours, of before
  world.copy_from("", 4);                                              // nobody knows whose
  world.copy_from("cp-2", 5);
  world.copy_from("cp-2", 6); // a run that we have no set of
  CHECK(namesakes(world) == Nodes{{run_id_of_day(1), "cp-2"}, {run_id_of_day(2), "cp-3"}});
  State state;
  state.replicated = {run_id_of_day(1)};
  CHECK(namesakes(world, state) == Nodes{{run_id_of_day(2), "cp-3"}});
}

TEST_CASE("the manifests over there are fetched only where one is of a run that is to be sent") {
  World world;
  world.backups.add(1);
  world.copy_from("cp-2", 2);
  world.remote.files["etcd-" + run_id_of_day(1) + ".snap.age"] = "no manifest yet";
  CHECK(namesakes(world).empty());
  CHECK_FALSE(has_looked(world));
  world.copy_from("cp-2", 1);
  State sent;
  sent.replicated = {run_id_of_day(1)};
  CHECK(namesakes(world, sent).empty());
  CHECK_FALSE(has_looked(world));
  CHECK(namesakes(world).size() == 1);
  CHECK(has_looked(world));
}

TEST_CASE("of a remote that does not give its manifests nothing is said") {
  World world;
  world.backups.add(1);
  world.copy_from("cp-2", 1);
  const auto there = world.remote.list({}).value();
  world.remote.failure = Error{ErrorCode::unavailable, "connection refused", {}};
  const auto nodes = nodes_of_namesakes(world.remote, there, world.backups.sets(), {}, {});
  REQUIRE_FALSE(nodes);
  CHECK(nodes.error().code == ErrorCode::unavailable);
}

TEST_CASE("what is said of it names run and node, and what to do; no name makes it long or odd") {
  const Error error = sent_by_another("nextcloud:b", run_id_of_day(1), "cp-2\x1b[2J");
  CHECK(error.code == ErrorCode::already_exists);
  CHECK(error.message.starts_with("nextcloud:b: the set of run " + run_id_of_day(1) +
                                  " over there is of node cp-2"));
  CHECK(error.message.find('\x1b') == std::string::npos);
  CHECK(error.hint.find("schedule.servers=One") != std::string::npos);
  CHECK(sent_by_another("r", run_id_of_day(1), std::string(100'000, 'n')).message.size() < 1000);
}

TEST_CASE("a set that another server sent is not replaced, and said, and holds up no other") {
  World world;
  world.backups.add_signed(1);
  world.backups.add_signed(2);
  world.know_key();
  world.put_signed("RESTORE.md", "read me\n");
  world.copy_from("cp-2", 2);
  const auto before = world.remote.files;
  View view = world.visit();
  for (const auto& [name, content] : before) {
    CHECK(world.remote.files.at(name) == content);
  }
  CHECK(view.sets.at(run_id_of_day(1)).replicated);
  CHECK(world.remote.files.contains("RESTORE.md"));
  CHECK_FALSE(view.sets.at(run_id_of_day(2)).replicated);
  REQUIRE(view.trouble);
  CHECK(view.trouble->reason == api::Reason::remote_failed);
  CHECK(view.trouble->message.find("run " + run_id_of_day(2) + " over there is of node cp-2") !=
        std::string::npos);
  CHECK(view.trouble->message.find("offsite.directoryPerNode=true") != std::string::npos);
  CHECK(world.remote.names_of("remove").empty());

  // Once the other one has gone elsewhere, its files are removed by hand, and ours are sent.
  for (const auto& [name, content] : before) {
    world.remote.files.erase(name);
  }
  world.clock.time += std::chrono::seconds(30);
  view = world.visit();
  CHECK(view.pending() == 0);
  CHECK_FALSE(view.trouble);
}

TEST_CASE("a set that was rewrapped here does not push out that of another server") {
  World world;
  world.backups.add_signed(1);
  world.know_key();
  test::exchange(world.backups, 1);
  world.copy_from("cp-2", 1);
  const View view = world.visit();
  for (const std::string& name : world.remote.names_of("put")) {
    CHECK(name.find(run_id_of_day(1)) == std::string::npos);
  }
  CHECK(view.pending() == 1);
  REQUIRE(view.trouble);
  CHECK(view.trouble->message.find("node cp-2") != std::string::npos);
}

TEST_CASE("a manifest over there that cannot be read is nobody's, and is replaced") {
  World world;
  world.backups.add(1);
  const std::string name = "manifest-" + run_id_of_day(1) + ".json";
  world.remote.files[name] = "{";
  CHECK(world.visit().pending() == 0);
  CHECK(world.remote.files.at(name) ==
        test::read_file(world.backups.directory.path() + "/" + name));
}
