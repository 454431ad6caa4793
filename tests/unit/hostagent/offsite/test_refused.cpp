// What the remote does not take, in words that nobody knows: of one set, or of all.
#include "offsite/rclone_words.hpp"
#include "offsite_world.hpp"
#include "set/names.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace rb;
using namespace rb::offsite;
using rb::test::run_id_of_day;
using World = rb::test::OffsiteWorld;

namespace {

std::size_t sets_tried(const World& world) {
  std::set<std::string> run_ids;
  for (const std::string& name : world.remote.names_of("put")) {
    run_ids.insert(set::classify_name(name).run_id);
  }
  return run_ids.size();
}

} // namespace

TEST_CASE("one set that the remote does not take holds up no other, nor the kit") {
  World world;
  for (int day = 1; day <= 3; ++day) {
    world.backups.add_signed(day);
  }
  world.know_key();
  world.put_signed("RESTORE.md", "read me\n");
  world.remote.refuses = "kubeconfig-" + run_id_of_day(3);
  View view = world.visit();
  CHECK_FALSE(view.sets.at(run_id_of_day(3)).replicated);
  CHECK(view.sets.at(run_id_of_day(2)).replicated);
  CHECK(view.sets.at(run_id_of_day(1)).replicated);
  CHECK(world.remote.files.contains("RESTORE.md"));
  CHECK(view.failures == 1);
  REQUIRE(view.trouble);
  CHECK(view.trouble->message.starts_with("413"));

  world.remote.refuses.clear();
  world.clock.time += std::chrono::seconds(30);
  view = world.visit();
  CHECK(view.pending() == 0);
  CHECK_FALSE(view.trouble);
}

TEST_CASE("a remote that takes nothing is not tried with every set") {
  World world;
  for (int day = 1; day <= 5; ++day) {
    world.backups.add_signed(day);
  }
  world.remote.refuses = "-";
  const View view = world.visit();
  CHECK(view.replicated() == 0);
  CHECK(sets_tried(world) == 2);
  CHECK(view.trouble);
}

TEST_CASE("a file that is too large for the server comes with the way out") {
  ProcessResult result;
  result.exit_status = 1;
  for (const char* const words :
       {"Failed to copyto: 413 Request Entity Too Large\n",
        "Failed to copyto: EntityTooLarge: Your proposed upload exceeds the maximum size\n"}) {
    CAPTURE(words);
    result.err = words;
    const auto error = rclone_failure(result, "nextcloud:a");
    REQUIRE(error);
    CHECK(reason_of(*error) == api::Reason::remote_failed);
    CHECK(error->hint.find("chunker") != std::string::npos);
  }
}
