// A set gets new recipients: it is whole before, in between and afterwards, whatever stops it, and
// goes on being the host's.
#include "set/catalogue.hpp"
#include "set/marks.hpp"
#include "set/names.hpp"
#include "set/restore_guide.hpp"
#include "set/retention.hpp"
#include "set/rewrap.hpp"
#include "set/signed_files.hpp"
#include "set/signed_write.hpp"
#include "support/fault_disk.hpp"
#include "support/rewrap_world.hpp"
#include "support/sets.hpp"

#include "age/file.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::set;
using test::RewrapWorld;
using test::run_id_of_day;

TEST_CASE("rewrap: the set opens with the new key alone, verifies, and is the host's") {
  RewrapWorld world;
  world.add(1);
  world.add(2);
  const BackupSet before = world.listed(2);
  const auto done = world.rewrap(2);
  REQUIRE(done);
  CHECK_FALSE(done->unfinished);
  const BackupSet after = world.listed(2);
  CHECK(after.state == SetState::complete);
  CHECK(after.version() == run_id_of_day(2) + ".r1");
  CHECK(after.time == before.time);
  CHECK(after.manifest->recipients == std::vector{world.fresh.recipient().text()});
  CHECK(after.manifest->recipient_rule == "creation rule 2");
  CHECK(after.manifest->completion_time == before.manifest->completion_time);
  CHECK(after.manifest->rewrap->replaces == std::vector{before.manifest_digests->sha256});
  CHECK(world.opens_with(2, world.fresh));
  CHECK_FALSE(world.opens_with(2, world.old));
  CHECK(world.words() == "good good");
  CHECK(world.names_of(2) == 6); // four artifacts, manifest, signature: none of the old ones
  world.add(3);
  CHECK(world.words() == "good good good");
  CHECK(world.listed(3).manifest->previous->sha256 == after.manifest_digests->sha256);
}

TEST_CASE("rewrap: manifests made before it still vouch for what stands in the place of a set") {
  RewrapWorld world;
  world.add(1);
  world.add(2);
  world.add(3);
  REQUIRE(world.rewrap(1));
  CHECK(world.words() == "good good good");
  REQUIRE(world.rewrap(1, world.old));
  CHECK(world.listed(1).generation == 2);
  CHECK(world.listed(1).manifest->rewrap->replaces.size() == 2);
  CHECK(world.words() == "good good good");
  SUBCASE("the old set put back in its place shows as soon as a later manifest names the new one") {
    const auto kept = world.disk.contents();
    REQUIRE(world.rewrap(2));
    world.add(4);
    world.forget(2);
    for (const auto& [name, content] : kept) {
      if (classify_name(name).run_id == run_id_of_day(2)) {
        world.disk.put(name, content);
      }
    }
    CHECK(world.words() == "good swapped good good");
  }
  SUBCASE("what an unsigned manifest claims to replace counts for nothing") {
    Manifest claim = *world.listed(2).manifest;
    claim.rewrap = RewrapRecord{1, {}, {world.listed(2).manifest_digests->sha256}, false};
    claim.signed_by.clear();
    for (api::ArtifactStatus& artifact : claim.artifacts) {
      artifact.file_name = artifact_name(artifact.type, claim.run_id, 1);
    }
    const std::string text = serialize(claim);
    world.disk.put(claim.file_name(), Bytes(text.begin(), text.end()));
    CHECK(world.words() == "good swapped good");
  }
}

TEST_CASE("rewrap: a set that was never signed is adopted, and makes its neighbours no intruders") {
  RewrapWorld world;
  world.add_unsigned(1);
  world.add_unsigned(2);
  world.add(3);
  world.add(4);
  CHECK(world.words() == "unsigned unsigned good good");
  const auto refused = world.rewrap(1);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::unsupported);
  REQUIRE(world.rewrap(1, world.fresh, /*adopt=*/true));
  CHECK(world.words() == "good unsigned good good");
  CHECK(world.listed(1).manifest->rewrap->adopted);
  world.add(5);
  CHECK(world.words() == "good unsigned good good good");
}

TEST_CASE("rewrap: stamp and guide speak of the new files, signed, and of nobody else's") {
  RewrapWorld world;
  world.add(1);
  world.add(2);
  world.write_kit(2);
  const std::string other = world.text_of(k_stamp_name);
  REQUIRE(world.rewrap(1));
  CHECK(world.text_of(k_stamp_name) == other);
  const auto done = world.rewrap(2);
  REQUIRE(done);
  CHECK(world.text_of(k_stamp_name) == stamp_text(done->manifest));
  CHECK(world.text_of(k_guide_name) == restore_guide(done->manifest, RewrapWorld::k_facts));
  CHECK(world.kit_is_genuine());
  SUBCASE("a guide that is not the host's is not signed") {
    const std::string theirs = restore_guide(done->manifest, {"/elsewhere", "/data", "/etc", {}});
    world.disk.put(std::string(k_guide_name), Bytes(theirs.begin(), theirs.end()));
    REQUIRE(world.rewrap(2, world.old));
    CHECK(world.text_of(k_guide_name) == theirs);
    CHECK_FALSE(world.kit_is_genuine());
  }
}

TEST_CASE(
    "rewrap: a file that is not what the manifest says is refused, and the set stays as it is") {
  RewrapWorld world;
  world.add(1);
  const std::string name = world.listed(1).manifest->artifacts.front().file_name;
  const Bytes good = world.disk.contents().at(name);
  const auto expect = [&](const Bytes& content, ErrorCode code) {
    world.disk.put(name, content);
    const auto before = world.disk.contents();
    const auto done = rewrap_set(world.directory,
                                 world.listed(1),
                                 std::span(&world.old, 1),
                                 world.order(world.fresh),
                                 world.key,
                                 {});
    REQUIRE_FALSE(done);
    CHECK(done.error().code == code);
    CHECK(done.error().message.starts_with(name));
    CHECK(world.disk.contents() == before);
  };
  SUBCASE("a bit of the payload") {
    Bytes bad = good;
    bad.back() ^= 1U;
    expect(bad, ErrorCode::corrupt);
  }
  SUBCASE("a bit of the stanza: it is damaged, not for somebody else") {
    Bytes bad = good;
    bad[40] = bad[40] == 'A' ? 'B' : 'A';
    expect(bad, ErrorCode::corrupt);
  }
  SUBCASE("another set's file, which opens") {
    const age::Recipient recipient = world.old.recipient();
    expect(age::encrypt_bytes(as_bytes("planted"), std::span(&recipient, 1)).value(),
           ErrorCode::corrupt);
  }
}

TEST_CASE("rewrap: no key opens it: nothing is written") {
  RewrapWorld world;
  world.add(1);
  const auto before = world.disk.contents();
  const age::Identity other = age::Identity::generate().value();
  CHECK(opener_of(world.directory, *world.listed(1).manifest, std::span(&other, 1)) == nullptr);
  CHECK(opener_of(world.directory, *world.listed(1).manifest, std::span(&world.old, 1)) ==
        &world.old);
  const auto done = rewrap_set(world.directory,
                               world.listed(1),
                               std::span(&other, 1),
                               world.order(world.fresh),
                               world.key,
                               {});
  REQUIRE_FALSE(done);
  CHECK(done.error().code == ErrorCode::no_matching_identity);
  CHECK(world.disk.contents() == before);
}

TEST_CASE("rewrap: a set that another host signed is refused, with where to do it") {
  RewrapWorld world;
  world.add(1);
  const auto done = rewrap_set(world.directory,
                               world.listed(1),
                               std::span(&world.old, 1),
                               world.order(world.fresh),
                               sign::SigningKey::generate().value(),
                               {});
  REQUIRE_FALSE(done);
  CHECK(done.error().code == ErrorCode::unsupported);
  CHECK(done.error().hint.starts_with("rewrap it on the host that made it; "));
  const sign::PublicKey other = sign::SigningKey::generate().value().public_key();
  const auto possible = [&](const sign::PublicKey* own) {
    return check_rewrap(
        world.directory, world.listed(1), std::span(&world.old, 1), world.order(world.fresh), own);
  };
  CHECK(possible(&other).error().hint == done.error().hint);
  CHECK(possible(&world.key.public_key()));
  CHECK(possible(nullptr));
}

TEST_CASE("rewrap: both generations are there for a moment, and the newer one counts") {
  RewrapWorld world;
  world.add(1);
  const auto old_files = world.disk.contents();
  REQUIRE(world.rewrap(1));
  for (const auto& [name, content] : old_files) {
    world.disk.put(name, content); // as a crash right after the new manifest leaves it
  }
  CHECK(world.listed(1).generation == 1);
  CHECK(world.listed(1).files.size() == 6);
  CHECK(world.words() == "good");
  CHECK(read_manifest(world.directory, run_id_of_day(1))->generation() == 1);
  SUBCASE("the next run removes the old one") {
    REQUIRE(finish_rewraps(world.directory, world.key));
    CHECK(world.names_of(1) == 6);
    CHECK(world.opens_with(1, world.fresh));
  }
  SUBCASE("retention removes both") {
    REQUIRE(remove_set(world.directory, run_id_of_day(1)));
    CHECK(world.names_of(1) == 0);
  }
  SUBCASE("a damaged one keeps the old one: it may be all that there is") {
    const std::string name = world.listed(1).manifest->artifacts.front().file_name;
    REQUIRE(world.directory.fs().remove(name));
    REQUIRE(finish_rewraps(world.directory, world.key));
    CHECK(world.names_of(1) == 11);
  }
}

TEST_CASE("rewrap: a generation that somebody planted takes nothing away, and gets no signature of "
          "the host's") {
  RewrapWorld world;
  world.add(1);
  world.write_kit(1);
  const auto before = world.disk.contents();
  Manifest planted = *world.listed(1).manifest;
  planted.rewrap = RewrapRecord{1, {}, {world.listed(1).manifest_digests->sha256}, false};
  for (api::ArtifactStatus& artifact : planted.artifacts) {
    artifact.file_name = artifact_name(artifact.type, planted.run_id, 1);
    artifact.sha256 = to_hex(sha256(as_bytes("theirs")));
    artifact.size_bytes = 6;
    world.disk.put(artifact.file_name, Bytes{'t', 'h', 'e', 'i', 'r', 's'});
  }
  const sign::SigningKey theirs = sign::SigningKey::generate().value();
  planted.signed_by = sign::to_string(theirs.public_key().id());
  REQUIRE(write_signed_manifest(world.directory, planted, theirs));
  CHECK(world.words() == "other key");
  REQUIRE(finish_rewraps(world.directory, world.key));
  const auto after = world.disk.contents();
  for (const auto& [name, content] : before) {
    CAPTURE(name);
    CHECK(after.at(name) == content);
  }
}

TEST_CASE("rewrap: a reader whose listing is old sees the set as it is now, not a damaged one") {
  RewrapWorld world;
  world.add(1);
  const BackupSet old = world.listed(1);
  CHECK_FALSE(is_superseded(world.directory, old));
  REQUIRE(world.rewrap(1));
  CHECK(is_superseded(world.directory, old));
  CHECK_FALSE(test::altered_files(world.directory, *old.manifest).empty());
  // A listing from before, and files from after it.
  struct StaleFs final : Fs {
    explicit StaleFs(std::unique_ptr<Fs> real) : fs(std::move(real)) {}
    Result<std::unique_ptr<File>> create(const std::string& n) override { return fs->create(n); }
    Result<std::unique_ptr<File>> open_append(const std::string& n) override {
      return fs->open_append(n);
    }
    Result<std::unique_ptr<File>> open_read(const std::string& n) override {
      return fs->open_read(n);
    }
    Result<std::unique_ptr<File>> open_uncached(const std::string& n) override {
      return fs->open_uncached(n);
    }
    Status rename_new(const std::string& a, const std::string& b) override {
      return fs->rename_new(a, b);
    }
    Status rename_over(const std::string& a, const std::string& b) override {
      return fs->rename_over(a, b);
    }
    Status remove(const std::string& n) override { return fs->remove(n); }
    Status sync_directory() override { return fs->sync_directory(); }
    Result<std::vector<DirectoryEntry>> list() override {
      if (!stale.empty()) {
        return std::exchange(stale, {});
      }
      return fs->list();
    }
    Result<Space> space() override { return fs->space(); }
    std::unique_ptr<Fs> fs;
    std::vector<DirectoryEntry> stale;
  };
  auto stale = std::make_unique<StaleFs>(world.disk.mount());
  for (const SetFile& file : old.files) {
    stale->stale.push_back({file.name, true, file.size_bytes});
  }
  StaleFs& listing = *stale;
  Directory late(std::move(stale), "/backup");
  SUBCASE("all sets") {
    const auto sets = list_sets(late).value();
    REQUIRE(sets.size() == 1);
    CHECK(sets.front().state == SetState::complete);
    CHECK(sets.front().generation == 1);
  }
  SUBCASE("one manifest") {
    CHECK(read_manifest(late, run_id_of_day(1))->generation() == 1);
  }
  CHECK(listing.stale.empty());
}
