// Holds: a name is that of the old file or of the whole new one, on a disk that fails, dies or
// forgets at every call; and what was said to be written is there after a power cut.
#include "set/directory.hpp"
#include "support/fault_disk.hpp"
#include "support/random.hpp"
#include "support/temporary_directory.hpp"

#include "base/durable_file.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <random>
#include <set>

using namespace rb;
using namespace rb::set;
using test::Fault;
using test::FaultDisk;

namespace {

const Bytes k_old{'o', 'l', 'd'};
const Bytes k_new(1000, 'n');

/// What every writer of ours orders.
std::vector<DurableOrder> orders() {
  std::vector<DurableOrder> all;
  for (const bool replace : {false, true}) {
    for (const bool read_back : {false, true}) {
      for (const bool nameless : {false, true}) {
        for (const unsigned mode : {0600U, 0700U}) {
          DurableOrder order{"name", "", mode, replace, read_back, nameless};
          all.push_back(order);
        }
      }
    }
  }
  return all;
}

constexpr Fault k_faults[] = {Fault::none,
                              Fault::no_space_once,
                              Fault::io_error_once,
                              Fault::no_space_from,
                              Fault::dies_before,
                              Fault::dies_after};

FaultDisk disk_for(const DurableOrder& order) {
  FaultDisk disk;
  if (order.replace) {
    disk.put("name.part", Bytes{'x'}); // of a crash
    disk.put("name", k_old);
  }
  return disk;
}

class Judge final : public ReadBack {
public:
  Status take(ByteView bytes) override {
    seen.insert(seen.end(), bytes.begin(), bytes.end());
    return {};
  }
  Result<ContentDigest> finish() override {
    return verdict ? Result<ContentDigest>(*verdict)
                   : Result<ContentDigest>(ContentDigest{seen.size(), sha256(seen)});
  }
  Bytes seen;
  std::optional<Error> verdict;
};

/// The old one, nothing, or the whole new one.
bool is_sound(const FaultDisk& disk, const DurableOrder& order) {
  const auto contents = disk.contents();
  const auto found = contents.find("name");
  if (found == contents.end()) {
    return !order.replace;
  }
  return found->second == k_new || (order.replace && found->second == k_old);
}

} // namespace

TEST_CASE("a durable file is whole or not there, at every fault of every call and power cut") {
  std::mt19937 random(static_cast<unsigned>(test::Random::seeded().seed()));
  for (const DurableOrder& order : orders()) {
    CAPTURE(order.replace);
    CAPTURE(order.read_back);
    CAPTURE(order.nameless);
    CAPTURE(order.mode);
    FaultDisk good = disk_for(order);
    good.arrange(Fault::none, 0);
    REQUIRE(write_durably(*good.mount(), order, k_new));
    const std::size_t calls = good.calls();
    for (const Fault fault : k_faults) {
      for (std::size_t call = 0; call < calls; ++call) {
        for (const bool power : {false, true}) {
          CAPTURE(static_cast<int>(fault));
          CAPTURE(call);
          CAPTURE(power);
          FaultDisk disk = disk_for(order);
          disk.arrange(fault, call);
          const Status written = write_durably(*disk.mount(), order, k_new);
          const bool told = written && !disk.died();
          if (power) {
            disk.power_cut(random);
          }
          CHECK(is_sound(disk, order));
          if (told) {
            CHECK(disk.contents().at("name") == k_new);
          }
          // And the next one needs no hand work.
          disk.arrange(Fault::none, 0);
          DurableOrder again = order;
          again.replace = true;
          CHECK(write_durably(*disk.mount(), again, k_new));
          CHECK(disk.contents().at("name") == k_new);
        }
      }
    }
  }
}

TEST_CASE("what another program wrote gets its name only when it is what it must be, and synced") {
  std::mt19937 random(static_cast<unsigned>(test::Random::seeded().seed()));
  const ContentDigest expected{k_new.size(), sha256(k_new)};
  DurableOrder order;
  order.name = "name";
  order.part = "fetched";
  FaultDisk disk;
  {
    const auto fs = disk.mount();
    const auto file = fs->create("fetched"); // not synced
    REQUIRE((*file)->write(k_new));
  }
  const auto fs = disk.mount();
  auto adopted = DurableFile::adopt(*fs, order, expected);
  REQUIRE(adopted);
  REQUIRE(adopted->commit());
  disk.power_cut(random);
  CHECK(disk.contents().at("name") == k_new);
}

TEST_CASE("a file that is not what it must be never gets the name, and its part goes") {
  FaultDisk disk;
  disk.put("fetched", k_old);
  DurableOrder order;
  order.name = "name";
  order.part = "fetched";
  const auto fs = disk.mount();
  {
    auto adopted = DurableFile::adopt(*fs, order, {k_new.size(), sha256(k_new)});
    REQUIRE(adopted);
    const auto committed = adopted->commit();
    REQUIRE_FALSE(committed);
    CHECK(committed.error().code == ErrorCode::corrupt);
  }
  CHECK(disk.contents().empty());
}

TEST_CASE("with a judge, all that was written is read back once it is synced, and is judged") {
  FaultDisk disk;
  const auto fs = disk.mount();
  Judge judge;
  Bytes all;
  DurableOrder order;
  order.name = "name";
  order.read_back = true;
  order.judge = &judge;
  {
    auto file = DurableFile::create(*fs, order);
    REQUIRE(file);
    for (std::uint8_t i = 0; i < 5; ++i) {
      const Bytes piece(1000, i);
      all.insert(all.end(), piece.begin(), piece.end());
      REQUIRE(file->write(piece));
      CHECK(judge.seen.empty());
    }
    SUBCASE("all is well") {
      const auto committed = file->commit();
      REQUIRE(committed);
      CHECK(committed->sha256 == sha256(all));
      CHECK(judge.seen == all);
      CHECK(disk.contents().at("name") == all);
    }
    SUBCASE("the judge refuses it") {
      judge.verdict = Error{ErrorCode::corrupt, "not it", {}};
      const auto refused = file->commit();
      REQUIRE_FALSE(refused);
      CHECK(refused.error().code == ErrorCode::corrupt);
      CHECK(refused.error().message == "name.part: not it");
    }
    SUBCASE("there is more than was written") {
      REQUIRE((*fs->open_append("name.part"))->write(Bytes{'x'}));
      CHECK(file->commit().error().code == ErrorCode::corrupt);
    }
  }
  CHECK_FALSE(disk.contents().contains("name.part"));
}

TEST_CASE("on a real disk: modes whatever the umask, no name before, and no second of that name") {
  const test::TemporaryDirectory temporary;
  const auto directory = Directory::open_existing(temporary.path());
  REQUIRE(directory);
  for (const bool nameless : {false, true}) {
    CAPTURE(nameless);
    DurableOrder order{nameless ? "b" : "a", "", 0640, false, false, nameless};
    {
      auto file = DurableFile::create(directory->fs(), order);
      REQUIRE(file);
      REQUIRE(file->write(k_new));
      CHECK_FALSE(std::filesystem::exists(temporary.file(order.name)));
      REQUIRE(file->commit());
    }
    CHECK(test::mode_of(temporary.file(order.name)) == "640");
    const Status second = write_durably(directory->fs(), order, k_old);
    REQUIRE_FALSE(second);
    CHECK(second.error().code == ErrorCode::already_exists);
    CHECK(test::read_file(temporary.file(order.name)).size() == k_new.size());
    order.replace = true;
    REQUIRE(write_durably(directory->fs(), order, k_old));
    CHECK(test::read_file(temporary.file(order.name)) == "old");
  }
  CHECK(std::distance(std::filesystem::directory_iterator(temporary.path()), {}) == 2);
}

TEST_CASE("no other file of ours names a file that it wrote, or syncs it") {
  // Those that do the calls for all, and those that move what is there.
  const std::set<std::string> allowed{
      "lib/base/fd.cpp", "lib/base/fs.cpp", "hostagent/restore/cluster/file_changes.cpp"};
  const std::string root = RB_SOURCE_DIR;
  std::size_t read = 0;
  for (const char* const part : {"lib", "hostagent", "cli", "controller"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root + "/" + part)) {
      const std::string name = entry.path().lexically_relative(root).string();
      if (!name.ends_with("pp") || allowed.contains(name)) {
        continue;
      }
      ++read;
      CAPTURE(name);
      const std::string text = test::read_file(entry.path().string());
      for (const char* const call :
           {"::rename", "::linkat", "::fsync", "::fdatasync", "O_TMPFILE", "ofstream"}) {
        CAPTURE(call);
        CHECK(text.find(call) == std::string::npos);
      }
    }
  }
  CHECK(read > 300);
}
