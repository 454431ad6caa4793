// Holds: at every fault of every call, k3s finds the old files or the new ones, never a half of
// one, and never manifests whose image is not there; and the next call completes it.
#include "cli/install/lay_down.hpp"
#include "support/fault_disk.hpp"
#include "support/random.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace rb;
using namespace rb::install;
using test::Fault;
using test::FaultDisk;

namespace {

constexpr const char* k_image = "railiance-backup-image.tar";
constexpr const char* k_skip = "railiance-backup.yaml.skip";
constexpr Fault k_faults[] = {Fault::no_space_once,
                              Fault::io_error_once,
                              Fault::no_space_from,
                              Fault::dies_before,
                              Fault::dies_after};

Bytes bytes(const std::string& text) {
  const ByteView view = as_bytes(text);
  return {view.begin(), view.end()};
}

/// One server: its two directories and a package. Faults meet one of the disks.
struct World {
  FaultDisk images;
  FaultDisk manifests;
  FaultDisk package;

  explicit World(const std::string& image) { package.put("image.tar", bytes(image)); }

  void had(const std::string& image, const std::string& text) {
    images.put(k_image, bytes(image));
    manifests.put(k_laid_manifest, bytes(text));
  }

  Result<Laid> lay(const std::string& text) {
    const Directories directories{images.mount(), manifests.mount()};
    const auto fs = package.mount();
    const auto image = fs->open_read("image.tar");
    REQUIRE(image);
    return lay_down(directories, **image, text);
  }

  static std::string content(const FaultDisk& disk, const std::string& name) {
    const auto contents = disk.contents();
    const auto found = contents.find(name);
    return found == contents.end() ? "" : std::string(as_text(found->second));
  }
  [[nodiscard]] std::string image() const { return content(images, k_image); }
  [[nodiscard]] std::string text() const { return content(manifests, k_laid_manifest); }
};

const std::string k_new_image(3000, 'i');
const std::string k_new_text(2000, 'm');

} // namespace

TEST_CASE("both files are laid down, once: what is there is not written again") {
  World world(k_new_image);
  const auto first = world.lay(k_new_text);
  REQUIRE(first);
  CHECK(first->image);
  CHECK(first->manifests);
  CHECK(world.image() == k_new_image);
  CHECK(world.text() == k_new_text);
  CHECK(world.images.contents().size() == 1);
  const auto second = world.lay(k_new_text);
  REQUIRE(second);
  CHECK_FALSE(second->image);
  CHECK_FALSE(second->manifests);
}

TEST_CASE(
    "at every fault of either disk, what k3s finds is whole, and the next call completes it") {
  std::mt19937 random(static_cast<unsigned>(test::Random::seeded().seed()));
  for (const bool upgrade : {false, true}) {
    for (const bool of_images : {false, true}) {
      const auto prepared = [&] {
        World world(k_new_image);
        if (upgrade) {
          world.had("old image", "old text");
        }
        return world;
      };
      World good = prepared();
      FaultDisk& counted = of_images ? good.images : good.manifests;
      counted.arrange(Fault::none, 0);
      REQUIRE(good.lay(k_new_text));
      const std::size_t calls = counted.calls();
      REQUIRE(calls > 3);
      for (const Fault fault : k_faults) {
        for (std::size_t call = 0; call < calls; ++call) {
          CAPTURE(upgrade);
          CAPTURE(of_images);
          CAPTURE(static_cast<int>(fault));
          CAPTURE(call);
          World world = prepared();
          FaultDisk& faulty = of_images ? world.images : world.manifests;
          faulty.arrange(fault, call);
          const auto laid = world.lay(k_new_text);
          const bool dead = faulty.died();
          faulty.power_cut(random);
          const std::string image = world.image();
          const std::string text = world.text();
          CHECK((image == k_new_image || image == (upgrade ? "old image" : "")));
          CHECK((text == k_new_text || text == (upgrade ? "old text" : "")));
          // The manifests of an image are there only where it is.
          CHECK((text != k_new_text || image == k_new_image));
          if (laid && !dead) {
            CHECK(image == k_new_image);
            CHECK(text == k_new_text);
          }
          world.images.arrange(Fault::none, 0);
          world.manifests.arrange(Fault::none, 0);
          REQUIRE(world.lay(k_new_text));
          CHECK(world.image() == k_new_image);
          CHECK(world.text() == k_new_text);
        }
      }
    }
  }
}

TEST_CASE("an image that was not there before goes again where the manifests fail") {
  World world(k_new_image);
  world.manifests.arrange(Fault::no_space_from, 0);
  const auto laid = world.lay(k_new_text);
  REQUIRE_FALSE(laid);
  CHECK(laid.error().code == ErrorCode::no_space);
  CHECK(world.images.contents().empty());
  CHECK(world.manifests.contents().empty());
}

TEST_CASE("manifests that are held back are written anew before k3s looks at them again") {
  World world(k_new_image);
  REQUIRE(world.lay(k_new_text));
  REQUIRE(hold_back(*world.manifests.mount()));
  CHECK(world.manifests.contents().contains(k_skip));
  const auto laid = world.lay(k_new_text);
  REQUIRE(laid);
  CHECK(laid->manifests);
  CHECK_FALSE(world.manifests.contents().contains(k_skip));
}

TEST_CASE("what is taken away is held back until it is gone for good, at every fault") {
  std::mt19937 random(static_cast<unsigned>(test::Random::seeded().seed()));
  const auto prepared = [] {
    World world(k_new_image);
    world.had(k_new_image, k_new_text);
    REQUIRE(hold_back(*world.manifests.mount()));
    return world;
  };
  World good = prepared();
  good.manifests.arrange(Fault::none, 0);
  REQUIRE(*take_away({good.images.mount(), good.manifests.mount()}));
  CHECK(good.images.contents().empty());
  CHECK(good.manifests.contents().empty());
  CHECK_FALSE(*take_away({good.images.mount(), good.manifests.mount()}));
  for (const Fault fault : k_faults) {
    for (std::size_t call = 0; call < good.manifests.calls(); ++call) {
      CAPTURE(static_cast<int>(fault));
      CAPTURE(call);
      World world = prepared();
      world.manifests.arrange(fault, call);
      static_cast<void>(take_away({world.images.mount(), world.manifests.mount()}));
      world.manifests.power_cut(random);
      const auto left = world.manifests.contents();
      CHECK((!left.contains(k_laid_manifest) || left.contains(k_skip)));
      world.manifests.arrange(Fault::none, 0);
      REQUIRE(take_away({world.images.mount(), world.manifests.mount()}));
      CHECK(world.manifests.contents().empty());
      CHECK(world.images.contents().empty());
    }
  }
}
