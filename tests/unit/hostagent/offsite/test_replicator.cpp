#include "offsite/copy_set.hpp"
#include "offsite/remote_store.hpp"
#include "offsite_world.hpp"
#include "set/names.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

using namespace rb;
using namespace rb::offsite;
using rb::test::run_id_of_day;
using World = rb::test::OffsiteWorld;

namespace {

Error unreachable() {
  return {ErrorCode::unavailable, "nextcloud:backups/cluster: connection refused", {}};
}

std::size_t of_run(const std::map<std::string, std::string>& files, int day) {
  return static_cast<std::size_t>(std::ranges::count_if(files, [&](const auto& file) {
    return set::classify_name(file.first).run_id == run_id_of_day(day);
  }));
}

} // namespace

TEST_CASE("complete sets are sent, the newest first, each with its manifest last") {
  World world;
  world.backups.add(1);
  world.backups.add(2);
  world.backups.add(3, false);
  const View view = world.visit();
  CHECK(view.pending() == 0);
  CHECK(view.sets.size() == 2);
  CHECK(world.changes == 2);
  const auto sent = world.remote.names_of("put");
  REQUIRE(sent.size() == 10);
  CHECK(sent[4] == "manifest-" + run_id_of_day(2) + ".json");
  CHECK(sent[9] == "manifest-" + run_id_of_day(1) + ".json");
  // And all of it was read back.
  CHECK(world.remote.names_of("sha256") == sent);
  world.remote.calls.clear();
  CHECK(world.visit().pending() == 0);
  CHECK(world.remote.calls.empty());
}

TEST_CASE("a signed set is sent with its signature before the manifest, and comes back good") {
  World world;
  world.backups.add_signed(1);
  world.know_key();
  CHECK(world.visit().pending() == 0);
  const std::string manifest = "manifest-" + run_id_of_day(1) + ".json";
  const auto sent = world.remote.names_of("put");
  REQUIRE(sent.size() >= 6);
  CHECK(sent[4] == manifest + ".minisig");
  CHECK(sent[5] == manifest);
  CHECK(world.remote.files.contains("railiance-backup.pub"));

  auto listing = open_remote(world.remote, {}).value();
  const auto sets = set::list_sets(listing).value();
  REQUIRE(sets.size() == 1);
  const sign::PublicKey key = world.backups.key.public_key();
  const auto judged = set::judge_catalogue(sets, std::span(&key, 1));
  CHECK(judged.at(run_id_of_day(1)).verdict == set::Provenance::genuine);

  auto to = set::Directory::open(world.backups.temporary.file("bare")).value();
  const auto fetched =
      fetch_set(to, world.remote, listing, sets.front(), [](const std::string&) {}, {});
  REQUIRE(fetched);
  CHECK(fetched->files.size() == 6);
  const auto there = set::judge_catalogue(set::list_sets(to).value(), std::span(&key, 1));
  CHECK(there.at(run_id_of_day(1)).verdict == set::Provenance::genuine);
  CHECK(test::read_file(to.path() + "/railiance-backup.pub") == key.file());
}

TEST_CASE("a failure is told, remembered over a restart, and waited after") {
  World world;
  world.backups.add(1);
  world.remote.failure = unreachable();
  View view = world.visit();
  CHECK(view.failures == 1);
  CHECK(view.pending() == 1);
  REQUIRE(view.trouble);
  CHECK(view.trouble->reason == api::Reason::remote_unreachable);
  world.remote.calls.clear();
  world.clock.time += std::chrono::seconds(29);
  view = world.visit(); // a new Replicator each time: nothing is kept in memory
  CHECK(world.remote.calls.empty());
  CHECK(view.failures == 1);
  world.clock.time += std::chrono::seconds(1);
  CHECK(world.visit().failures == 2);
  world.remote.failure.reset();
  world.clock.time += std::chrono::seconds(60);
  view = world.visit();
  CHECK(view.failures == 0);
  CHECK_FALSE(view.trouble);
  CHECK(view.pending() == 0);
}

TEST_CASE("a copy that is not what was sent is noticed, and no manifest is sent") {
  World world;
  world.backups.add(1);
  world.remote.storage = [](const std::string& name, std::string content) {
    if (name.starts_with("kubeconfig-")) {
      content[100] = static_cast<char>(content[100] ^ 1);
    }
    return content;
  };
  View view = world.visit();
  REQUIRE(view.trouble);
  CHECK(view.trouble->reason == api::Reason::verification_failed);
  CHECK(view.trouble->message.find("what came back is not what was sent") != std::string::npos);
  CHECK_FALSE(world.remote.files.contains("manifest-" + run_id_of_day(1) + ".json"));
  world.remote.storage = nullptr;
  world.remote.calls.clear();
  world.clock.time += std::chrono::seconds(30);
  CHECK(world.visit().pending() == 0);
  // What was right over there is not sent again.
  for (const std::string& name : world.remote.names_of("put")) {
    CHECK_FALSE(name.starts_with("etcd-"));
  }
}

TEST_CASE("a set that is damaged on our disk is left out, called so, and holds up nothing else") {
  World world;
  for (int day = 1; day <= 3; ++day) {
    world.backups.add_signed(day);
  }
  world.know_key();
  world.put_signed("RESTORE.md", "read me\n");
  const std::string name = "etcd-" + run_id_of_day(3) + ".snap.age";
  const std::string path = world.backups.directory.path() + "/" + name;
  const std::string whole = test::read_file(path);
  std::string content = whole;
  content[5] = static_cast<char>(content[5] ^ 1);
  test::write_file(path, content);
  View view = world.visit();
  CHECK_FALSE(view.trouble); // the remote is well
  CHECK(view.pending() == 0);
  CHECK(view.damaged() == 1);
  CHECK(view.sets.at(run_id_of_day(3)).damaged.find(name + ": damaged on this disk") !=
        std::string::npos);
  CHECK(view.sets.at(run_id_of_day(2)).replicated);
  CHECK(view.sets.at(run_id_of_day(1)).replicated);
  CHECK(world.remote.files.contains("RESTORE.md"));
  CHECK_FALSE(world.remote.files.contains(name)); // rot is not sent
  // It is remembered, and looked at again when it is time to compare.
  world.remote.calls.clear();
  CHECK(world.visit().damaged() == 1);
  CHECK(world.remote.calls.empty());
  test::write_file(path, whole);
  world.clock.time += std::chrono::hours(6);
  view = world.visit();
  CHECK(view.damaged() == 0);
  CHECK(view.sets.at(run_id_of_day(3)).replicated);
}

// Over a slow line the oldest of several sets waits for hours, and the runs go on.
TEST_CASE("a set that retention removes before its turn, or on its way, is no damage") {
  World world;
  world.backups.add(1);
  world.backups.add(2);
  std::string at;
  SUBCASE("before") {
    at = "manifest-" + run_id_of_day(2);
  }
  SUBCASE("on its way") {
    at = "etcd-" + run_id_of_day(1);
  }
  world.remote.storage = [&](const std::string& name, std::string content) {
    if (name.starts_with(at)) {
      REQUIRE(set::remove_set(world.backups.directory, run_id_of_day(1)));
    }
    return content;
  };
  const View view = world.visit();
  CHECK_FALSE(view.trouble);
  CHECK(view.failures == 0);
  CHECK(view.damaged() == 0);
  CHECK(view.sets.at(run_id_of_day(2)).replicated);
  CHECK_FALSE(view.sets.at(run_id_of_day(1)).replicated);
  CHECK_FALSE(world.remote.files.contains("manifest-" + run_id_of_day(1) + ".json"));
}

TEST_CASE("one set that does not arrive as it was sent holds up no older one") {
  World world;
  world.backups.add_signed(1);
  world.backups.add_signed(2);
  world.know_key();
  world.put_signed("RESTORE.md", "read me\n");
  world.remote.storage = [](const std::string& name, std::string content) {
    if (name.starts_with("kubeconfig-" + run_id_of_day(2))) {
      content[100] = static_cast<char>(content[100] ^ 1);
    }
    return content;
  };
  const View view = world.visit();
  REQUIRE(view.trouble);
  CHECK(view.trouble->reason == api::Reason::verification_failed);
  CHECK(view.failures == 1);
  CHECK_FALSE(view.sets.at(run_id_of_day(2)).replicated);
  CHECK(view.sets.at(run_id_of_day(1)).replicated);
  CHECK(world.remote.files.contains("RESTORE.md"));
}

TEST_CASE("a set that somebody planted here is not sent: it would push the host's own out there") {
  World world;
  world.backups.add_signed(1);
  world.know_key();
  world.backups.add(5);
  const View view = world.visit(1);
  CHECK_FALSE(world.remote.files.contains("manifest-" + run_id_of_day(5) + ".json"));
  CHECK(world.remote.files.contains("manifest-" + run_id_of_day(1) + ".json"));
  CHECK_FALSE(view.sets.contains(run_id_of_day(5)));
}

TEST_CASE("the kit is sent beside the sets; a part that was not is told, and tried again") {
  World world;
  world.backups.add_signed(1);
  world.know_key();
  world.put_signed("RESTORE.md", "ours\n");
  test::write_file(world.backups.directory.path() + "/RESTORE.md", "theirs\n");
  View view = world.visit();
  CHECK(view.pending() == 0); // the set is over there all the same
  REQUIRE(view.trouble);
  CHECK(view.trouble->reason == api::Reason::verification_failed);
  CHECK(view.trouble->message.find("RESTORE.md: not copied") != std::string::npos);
  world.put_signed("RESTORE.md", "ours\n");
  world.clock.time += std::chrono::seconds(30);
  CHECK_FALSE(world.visit().trouble);
  CHECK(world.remote.files.at("RESTORE.md") == "ours\n");
}

TEST_CASE("without its memory it compares, and sends nothing that is there") {
  World world;
  world.backups.add(1);
  CHECK(world.visit().pending() == 0);
  REQUIRE(std::filesystem::remove(world.state_dir + "/.offsite-state"));
  world.remote.calls.clear();
  CHECK(world.visit().pending() == 0);
  CHECK(world.remote.names_of("put").empty());
  CHECK(world.remote.names_of("sha256").size() == 5);
}

TEST_CASE("what vanished over there is sent again when it is time to compare") {
  World world;
  world.backups.add(1);
  CHECK(world.visit().pending() == 0);
  world.remote.files.erase("etcd-" + run_id_of_day(1) + ".snap.age");
  world.remote.calls.clear();
  world.clock.time += std::chrono::hours(6);
  CHECK(world.visit().pending() == 0);
  CHECK(world.remote.names_of("put") ==
        std::vector<std::string>{"etcd-" + run_id_of_day(1) + ".snap.age"});
}

TEST_CASE("what the backup directory says of the off-site copy counts for nothing") {
  World world;
  world.backups.add(1);
  State lie;
  lie.remote = world.remote.name();
  lie.replicated = {run_id_of_day(1)};
  lie.compared = world.clock.time;
  lie.reread_at = world.clock.time;
  REQUIRE(write_state(world.backups.directory, lie));
  CHECK(world.visit().pending() == 0);
  CHECK(world.remote.files.contains("manifest-" + run_id_of_day(1) + ".json"));
}

TEST_CASE("what rots over there without changing its size is noticed in its turn and sent again") {
  World world;
  world.backups.add(1);
  world.backups.add(2);
  CHECK(world.visit().pending() == 0);
  const std::string rotten = "etcd-" + run_id_of_day(1) + ".snap.age";
  world.remote.files.at(rotten)[100] ^= 1;
  world.remote.calls.clear();
  world.clock.time += std::chrono::hours(12);
  CHECK_FALSE(world.visit().trouble); // by names and sizes all is there
  CHECK(world.remote.names_of("sha256").empty());

  // One set a day; each comes to its turn.
  View view;
  for (int day = 0; day < 2 && !view.trouble; ++day) {
    world.remote.calls.clear();
    world.clock.time += std::chrono::hours(24);
    view = world.visit();
    CHECK(world.remote.names_of("sha256").size() <= 5);
    CHECK(world.remote.names_of("put").empty());
  }
  REQUIRE(view.trouble);
  CHECK(view.trouble->reason == api::Reason::verification_failed);
  CHECK(view.trouble->message.find(rotten + ": damaged since it was copied") != std::string::npos);
  CHECK_FALSE(view.sets.at(run_id_of_day(1)).replicated);
  CHECK(view.sets.at(run_id_of_day(2)).replicated);

  world.remote.calls.clear();
  world.clock.time += std::chrono::seconds(30);
  view = world.visit();
  CHECK(view.pending() == 0);
  CHECK_FALSE(view.trouble);
  CHECK(world.remote.names_of("put") == std::vector<std::string>{rotten});
  CHECK(world.remote.files.at(rotten) ==
        test::read_file(world.backups.directory.path() + "/" + rotten));
}

TEST_CASE("a remote that is away when a set is to be read back says nothing of the set") {
  World world;
  world.backups.add(1);
  world.visit();
  world.remote.failure = unreachable();
  world.clock.time += std::chrono::hours(24);
  const View view = world.visit();
  REQUIRE(view.trouble);
  CHECK(view.trouble->reason == api::Reason::remote_unreachable);
  CHECK(view.sets.at(run_id_of_day(1)).replicated);
  world.remote.failure.reset();
  world.remote.calls.clear();
  world.clock.time += std::chrono::seconds(30);
  CHECK_FALSE(world.visit().trouble);
  CHECK(world.remote.names_of("sha256").size() == 5);
}

TEST_CASE(
    "a set that got new recipients is sent anew, and its old files go over there once the new "
    "ones were read back") {
  World world;
  world.backups.add_signed(1);
  world.backups.add_signed(2);
  world.know_key();
  world.visit();
  test::exchange(world.backups, 1);
  world.remote.calls.clear();
  SUBCASE("all goes well") {
    const View view = world.visit();
    CHECK(view.pending() == 0);
    CHECK_FALSE(view.trouble);
    CHECK(world.remote.names_of("put").back() == "manifest-" + run_id_of_day(1) + ".r1.json");
    const auto removed = world.remote.names_of("remove");
    REQUIRE(removed.size() == 6);
    CHECK(removed.front() == "manifest-" + run_id_of_day(1) + ".json");
    CHECK(of_run(world.remote.files, 1) == 6);
    CHECK(of_run(world.remote.files, 2) == 6);
    auto listing = open_remote(world.remote, {}).value();
    const auto sets = set::list_sets(listing).value();
    CHECK(sets.back().version() == run_id_of_day(1) + ".r1");
    CHECK(sets.back().state == set::SetState::complete);
    world.remote.calls.clear();
    world.visit();
    CHECK(world.remote.calls.empty());
  }
  SUBCASE("what arrives is not what was sent: the old set stays over there, whole") {
    world.remote.storage = [](const std::string&, const std::string& content) {
      return content + "rot";
    };
    CHECK(world.visit().pending() == 1);
    CHECK(world.remote.names_of("remove").empty());
    CHECK(of_run(world.remote.files, 1) >= 6);
    world.remote.storage = nullptr;
    world.clock.time += std::chrono::hours(1);
    CHECK(world.visit().pending() == 0);
    CHECK(of_run(world.remote.files, 1) == 6);
  }
  SUBCASE("it is rewrapped again before it was sent") {
    test::exchange(world.backups, 1);
    CHECK(world.visit().pending() == 0);
    CHECK(of_run(world.remote.files, 1) == 6);
    CHECK(world.remote.files.contains("manifest-" + run_id_of_day(1) + ".r2.json"));
  }
  SUBCASE("fetched, it lies beside the old one and counts") {
    world.visit();
    auto listing = open_remote(world.remote, {}).value();
    const auto sets = set::list_sets(listing).value();
    auto to = set::Directory::open(world.backups.temporary.file("bare")).value();
    REQUIRE(fetch_set(to, world.remote, listing, sets.back(), [](const std::string&) {}, {}));
    const sign::PublicKey key = world.backups.key.public_key();
    const auto there = set::judge_catalogue(set::list_sets(to).value(), std::span(&key, 1));
    CHECK(there.at(run_id_of_day(1)).verdict == set::Provenance::genuine);
  }
}

TEST_CASE("old files of a rewrapped set that could not be removed go as soon as they can") {
  World world;
  world.backups.add_signed(1);
  world.know_key();
  world.visit();
  test::exchange(world.backups, 1);
  SUBCASE("the remote refused") {
    world.remote.refuses_removal = unreachable();
    View view = world.visit();
    CHECK(view.pending() == 0);
    CHECK(view.failures == 1);
    CHECK(of_run(world.remote.files, 1) == 12);
    world.remote.refuses_removal.reset();
    world.clock.time += std::chrono::seconds(30);
    view = world.visit();
    CHECK_FALSE(view.trouble);
  }
  SUBCASE("the program was told to end in between") {
    world.remote.refuses_removal = Error{ErrorCode::cancelled, "told to stop", {}};
    CHECK_FALSE(world.visit().trouble);
    CHECK(of_run(world.remote.files, 1) == 12);
    world.remote.refuses_removal.reset();
    world.visit();
  }
  CHECK(of_run(world.remote.files, 1) == 6);
  world.remote.calls.clear();
  world.visit();
  CHECK(world.remote.calls.empty());
}

TEST_CASE("no directory yet is nothing to do") {
  World world;
  Replicator replicator(
      {"/nonexistent/backups", world.state_dir, world.key_file, 0, {}}, world.remote, world.clock);
  const auto view = replicator.visit({}, [](const View&) {});
  REQUIRE(view);
  CHECK(view->sets.empty());
}
