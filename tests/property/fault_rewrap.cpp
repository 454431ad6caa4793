// A rewrap on a disk that fails, fills up, dies or loses power at every call: the set is whole at
// every moment and opens with the old key or with the new one; its neighbours are untouched, stamp
// and guide speak of files that are there, and the same command again ends it.
#include "set/marks.hpp"
#include "set/names.hpp"
#include "set/restore_guide.hpp"
#include "set/retention.hpp"
#include "set/rewrap.hpp"
#include "support/random.hpp"
#include "support/rewrap_world.hpp"
#include "support/sets.hpp"

#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
#include <random>

using namespace rb;
using namespace rb::set;
using test::Fault;
using test::FaultDisk;
using test::RewrapWorld;
using test::run_id_of_day;

namespace {

constexpr int k_day = 2; ///< Of the set that is rewrapped: stamp and guide speak of it.

/// Every file that the stamp names is there as it says.
void check_stamp(RewrapWorld& world) {
  const auto stamp = test::read_stamp(world.directory);
  REQUIRE(stamp);
  const auto files = world.disk.contents();
  for (const char* const type : {"etcd_snapshot", "helm_values", "kubeconfig", "host_state"}) {
    const auto file = files.find(stamp->at(std::string("file_") + type));
    REQUIRE(file != files.end());
    REQUIRE(to_hex(sha256(file->second)) == stamp->at(std::string("sha256_") + type));
  }
}

/// The files that the guide compares first are there with those digests.
void check_guide(RewrapWorld& world) {
  const std::string guide = world.text_of(k_guide_name);
  for (const auto& [name, content] : world.disk.contents()) {
    if (classify_name(name).kind == NameKind::artifact && guide.find(name) != std::string::npos) {
      REQUIRE(guide.find(to_hex(sha256(content)) + "  " + name + "\n") != std::string::npos);
    }
  }
  REQUIRE(guide.find("  etcd-" + run_id_of_day(k_day)) != std::string::npos);
}

void check_moment(const FaultDisk& history, RewrapWorld& world) {
  REQUIRE(world.opens_with(k_day, world.old) != world.opens_with(k_day, world.fresh));
  REQUIRE(world.words() == "good good good");
  REQUIRE(world.kit_is_genuine());
  check_stamp(world);
  check_guide(world);
  const auto now = world.disk.contents();
  for (const auto& [name, content] : history.contents()) {
    const std::string run_id = classify_name(name).run_id;
    if (!run_id.empty() && run_id != run_id_of_day(k_day)) {
      CAPTURE(name);
      REQUIRE(now.at(name) == content);
    }
  }
}

void check_next(RewrapWorld& world) {
  REQUIRE(sweep_leftovers(world.directory));
  REQUIRE(finish_rewraps(world.directory, world.key));
  if (world.opens_with(k_day, world.old)) {
    REQUIRE(world.sweep_and_rewrap(k_day));
  }
  REQUIRE(world.opens_with(k_day, world.fresh));
  REQUIRE(world.names_of(k_day) == 6);
  for (const auto& [name, content] : world.disk.contents()) {
    CAPTURE(name);
    const NameKind kind = classify_name(name).kind;
    REQUIRE(kind != NameKind::part);
    REQUIRE(kind != NameKind::removing);
  }
  const Manifest manifest = *world.listed(k_day).manifest;
  REQUIRE(world.text_of(k_stamp_name) == stamp_text(manifest));
  REQUIRE(world.text_of(k_guide_name) == restore_guide(manifest, RewrapWorld::k_facts));
  REQUIRE(world.kit_is_genuine());
  REQUIRE(world.words() == "good good good");
}

void check_fault(RewrapWorld& world,
                 const FaultDisk& history,
                 Fault fault,
                 std::size_t call,
                 std::mt19937& random) {
  CAPTURE(static_cast<int>(fault));
  CAPTURE(call);
  world.disk = history.copy();
  world.remount();
  world.disk.arrange(fault, call);
  const Status result = world.sweep_and_rewrap(k_day);
  const bool died = world.disk.died();
  world.disk.arrange(Fault::none, 0);
  if (died || random() % 2 == 0) {
    world.disk.power_cut(random);
  }
  world.remount();
  check_moment(history, world);
  if (result && !died) {
    REQUIRE(world.opens_with(k_day, world.fresh)); // reported as done
  }
  if (world.opens_with(k_day, world.old) && fault == Fault::no_space_from && !died) {
    REQUIRE_FALSE(result);
    REQUIRE(result.error().code == ErrorCode::no_space);
  }
  check_next(world);
}

} // namespace

TEST_CASE("a rewrap with a fault at every call leaves the old set or the new one, whole, and the "
          "next one ends it") {
  const auto seed = static_cast<unsigned>(test::Random::seeded().seed());
  CAPTURE(seed);
  std::mt19937 random(seed);
  RewrapWorld world;
  for (int day = 1; day <= 3; ++day) {
    world.add(day);
  }
  world.write_kit(k_day);
  const FaultDisk history = world.disk.copy();
  world.disk.arrange(Fault::none, 0);
  REQUIRE(world.sweep_and_rewrap(k_day));
  const std::size_t calls = world.disk.calls();
  REQUIRE(calls > 80);
  const char* const given = std::getenv("RB_FAULT");
  const int cuts = given != nullptr && std::string_view(given) == "long" ? 32 : 2;
  for (std::size_t call = 0; call < calls; ++call) {
    for (const Fault fault : {Fault::no_space_once, Fault::io_error_once, Fault::no_space_from}) {
      check_fault(world, history, fault, call, random);
    }
    for (const Fault fault : {Fault::dies_before, Fault::dies_after}) {
      for (int cut = 0; cut < cuts; ++cut) {
        check_fault(world, history, fault, call, random);
      }
    }
  }
  // A case that fails ends the test.
  std::printf("FAULTS faults and lost subsets of unsynced writes at every call of a rewrap: tried "
              "%zu, failures found 0\n",
              calls * static_cast<std::size_t>(3 + 2 * cuts));
}
