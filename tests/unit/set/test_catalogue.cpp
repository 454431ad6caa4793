// What somebody who can write to the backup directory, and has no more than that, can do unseen:
// nothing but take away the newest sets, or all that is older than some set.
#include "set/catalogue.hpp"
#include "set/names.hpp"
#include "set/retention.hpp"
#include "set/signed_write.hpp"
#include "support/sets.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <filesystem>

using namespace rb;
using namespace rb::set;
using test::run_id_of_day;
namespace fs = std::filesystem;

namespace {

/// A host that makes and removes sets as the agent does.
struct Host {
  test::TemporaryDirectory temporary;
  std::string path = temporary.file("backups");
  Directory directory = Directory::open(path).value();
  sign::SigningKey key = sign::SigningKey::generate().value();

  std::vector<BackupSet> sets() { return list_sets(directory).value(); }

  void add(int day, const std::vector<int>& then_remove = {}, bool complete = true) {
    add_signed(test::make_manifest(run_id_of_day(day), complete), key, then_remove);
  }
  void add_signed(Manifest manifest,
                  const sign::SigningKey& by,
                  const std::vector<int>& then_remove = {}) {
    std::vector<std::string> removals;
    for (const int day : then_remove) {
      removals.push_back(run_id_of_day(day));
    }
    ChainEnd end = chain_end(sets(), removals, by.public_key());
    manifest.signed_by = sign::to_string(by.public_key().id());
    manifest.previous = std::move(end.previous);
    manifest.catalogue = std::move(end.catalogue);
    put_artifacts(manifest);
    REQUIRE(write_signed_manifest(directory, manifest, by));
    for (const std::string& run_id : removals) {
      REQUIRE(remove_set(directory, run_id));
    }
  }
  void add_unsigned(int day) {
    REQUIRE(test::store_set(directory, test::make_manifest(run_id_of_day(day))));
  }
  void put_artifacts(const Manifest& manifest) {
    for (const auto& artifact : manifest.artifacts) {
      auto writer = ArtifactWriter::create(directory, artifact.file_name).value();
      REQUIRE(writer.write(test::content_of(artifact.type, manifest.run_id)));
      REQUIRE(writer.commit());
    }
  }
  void take_away(int day) {
    const auto entries = directory.fs().list().value();
    for (const auto& entry : entries) {
      if (entry.name.find(run_id_of_day(day)) != std::string::npos) {
        REQUIRE(directory.fs().remove(entry.name));
      }
    }
  }
  [[nodiscard]] std::string file(int day, const std::string& suffix = ".json") const {
    return path + "/manifest-" + run_id_of_day(day) + suffix;
  }

  /// "good good tampered", oldest first.
  std::string verdicts(std::vector<sign::PublicKey> trusted) {
    std::string words;
    for (const auto& [run_id, set] : judge_catalogue(sets(), trusted)) {
      words += (words.empty() ? "" : ", ") + std::string(to_string(set.verdict));
      CHECK((set.verdict == Provenance::genuine || set.verdict == Provenance::no_manifest) ==
            set.message.empty());
    }
    return words;
  }
  std::string verdicts() { return verdicts({key.public_key()}); }
};

} // namespace

TEST_CASE("sets that one host made, one after the other, are good") {
  Host host;
  host.add(1);
  host.add(2);
  host.add(3, {}, false);
  host.add(4);
  CHECK(host.verdicts() == "good, good, good, good");
  const auto sets = host.sets();
  CHECK(sets.front().manifest->previous->run_id == run_id_of_day(3));
  CHECK(sets.front().state == SetState::complete);
  CHECK_FALSE(sets.back().manifest->previous);
  CHECK(fs::exists(host.file(4, ".json.minisig")));
}

TEST_CASE("a changed manifest shows, and harms no other set") {
  Host host;
  host.add(1);
  host.add(2);
  host.add(3);
  Manifest manifest = read_manifest(host.directory, run_id_of_day(2)).value();
  manifest.node_name = "another";
  test::write_file(host.file(2), serialize(manifest));
  CHECK(host.verdicts() == "good, tampered, good");
}

TEST_CASE("a signature that was taken away, changed or exchanged shows") {
  Host host;
  host.add(1);
  host.add(2);
  SUBCASE("taken away") {
    fs::remove(host.file(2, ".json.minisig"));
    CHECK(host.verdicts() == "good, signature missing");
  }
  SUBCASE("taken away, and the manifest does not name it any more") {
    fs::remove(host.file(2, ".json.minisig"));
    test::write_file(host.file(2), serialize(test::make_manifest(run_id_of_day(2))));
    CHECK(host.verdicts() == "good, planted");
  }
  SUBCASE("no signature any more") {
    test::write_file(host.file(2, ".json.minisig"), "signed, really");
    CHECK(host.verdicts() == "good, tampered");
  }
  SUBCASE("a link in its place") {
    fs::remove(host.file(2, ".json.minisig"));
    fs::create_symlink(host.file(1, ".json.minisig"), host.file(2, ".json.minisig"));
    CHECK(host.verdicts() == "good, signature missing");
  }
  SUBCASE("that of another set") {
    test::write_file(host.file(2, ".json.minisig"), test::read_file(host.file(1, ".json.minisig")));
    CHECK(host.verdicts() == "good, tampered");
  }
}

TEST_CASE("a set that another host made is not taken for one of this host") {
  Host host;
  host.add(1);
  host.add(2);
  const sign::SigningKey other = sign::SigningKey::generate().value();
  host.add_signed(test::make_manifest(run_id_of_day(3)), other);
  CHECK(host.verdicts() == "good, good, other key");
  CHECK(host.verdicts({host.key.public_key(), other.public_key()}) == "good, good, good");
  CHECK(host.verdicts({}) == "not proven, not proven, not proven");
  // It does not lead the chain away, either.
  host.add(4);
  CHECK(host.sets().front().manifest->previous->run_id == run_id_of_day(2));
  CHECK(host.verdicts() == "good, good, other key, good");
}

TEST_CASE("a set that was taken away from the middle shows at the one after it") {
  Host host;
  for (int day = 1; day <= 4; ++day) {
    host.add(day);
  }
  host.take_away(3);
  CHECK(host.verdicts() == "good, good, gap before");
  host.add(5);
  CHECK(host.verdicts() == "good, good, gap before, good");
  // It is forgotten with the last set that is older.
  host.add(6, {1});
  CHECK(host.verdicts() == "good, gap before, good, good");
  host.add(7, {2});
  CHECK(host.verdicts() == "good, good, good, good");
}

TEST_CASE("what retention removes is no gap, wherever it was") {
  Host host;
  host.add(1);
  host.add(2, {}, false);
  host.add(3, {2}); // an incomplete set goes first
  CHECK(host.verdicts() == "good, good");
  host.add(4);
  host.add(5, {3}); // day 1 stays: the cluster was restored from it
  CHECK(host.verdicts() == "good, good, good");
  host.add(6);
  host.add(7, {4, 5});
  CHECK(host.verdicts() == "good, good, good");
  host.add(8, {1, 6});
  CHECK(host.verdicts() == "good, good");
  // Each manifest names those that stay, and no more.
  const auto catalogue = host.sets().front().manifest->catalogue;
  REQUIRE(catalogue.size() == 1);
  CHECK(catalogue.front().run_id == run_id_of_day(7));
}

TEST_CASE("the newest set cannot be taken away unseen where it removed another one") {
  Host host;
  host.add(1);
  host.add(2);
  host.add(3);
  host.add(4, {2});
  host.take_away(4);
  CHECK(host.verdicts() == "good, gap before"); // day 2 is missing
}

TEST_CASE("a set shows that was taken away after the one that followed it had gone") {
  Host host;
  host.add(1);
  host.add(2);
  host.add(3, {}, false);
  host.add(4, {3});
  host.take_away(2);
  CHECK(host.verdicts() == "good, gap before");
}

TEST_CASE("removals that were announced and not carried out are no harm") {
  Host host;
  host.add(1);
  host.add(2);
  Manifest manifest = test::make_manifest(run_id_of_day(3));
  const ChainEnd end = chain_end(host.sets(), {run_id_of_day(1)}, host.key.public_key());
  manifest.signed_by = sign::to_string(host.key.public_key().id());
  manifest.previous = end.previous;
  manifest.catalogue = end.catalogue;
  host.put_artifacts(manifest);
  REQUIRE(write_signed_manifest(host.directory, manifest, host.key)); // and then it crashed
  CHECK(host.verdicts() == "good, good, good");
  host.add(4);
  CHECK(host.verdicts() == "good, good, good, good");
}

TEST_CASE("a set that stands alone is good: what came before it was never fetched") {
  Host host;
  host.add(1);
  host.add(2);
  host.add(3);
  host.take_away(1);
  host.take_away(2);
  CHECK(host.verdicts() == "good");
}

TEST_CASE("a set of the same key from elsewhere, in the place of the one that was here, shows") {
  Host host;
  Host elsewhere;
  host.add(1);
  elsewhere.key = sign::SigningKey::from_pem(host.key.to_pem()->view()).value();
  Manifest manifest = test::make_manifest(run_id_of_day(1));
  manifest.node_name = "elsewhere";
  elsewhere.add_signed(manifest, elsewhere.key);
  host.add(2);
  for (const char* suffix : {".json", ".json.minisig"}) {
    test::write_file(host.file(1, suffix), test::read_file(elsewhere.file(1, suffix)));
  }
  CHECK(host.verdicts() == "swapped, good");
}

TEST_CASE("sets of before the first signature are told from those that were put there later") {
  Host host;
  host.add_unsigned(1);
  host.add_unsigned(2);
  CHECK(host.verdicts() == "unsigned, unsigned");
  host.add(3);
  CHECK(host.sets().front().manifest->previous->run_id == run_id_of_day(2));
  CHECK(host.verdicts() == "unsigned, unsigned, good");
  SUBCASE("put there later") {
    host.add_unsigned(4);
    CHECK(host.verdicts() == "unsigned, unsigned, good, planted");
  }
  SUBCASE("changed since the first signature") {
    Manifest manifest = read_manifest(host.directory, run_id_of_day(2)).value();
    manifest.node_name = "another";
    test::write_file(host.file(2), serialize(manifest));
    CHECK(host.verdicts() == "unsigned, swapped, good");
  }
}

TEST_CASE("a run that was cut off has nothing to sign") {
  Host host;
  host.add(1);
  test::write_file(host.path + "/etcd-" + run_id_of_day(2) + ".snap.age", "x");
  test::write_file(host.file(3, ".json.minisig"), "x");
  CHECK(host.verdicts() == "good, no manifest, no manifest");
}

TEST_CASE("a clock that goes back forks no chain") {
  Host host;
  host.add(10);
  host.add(3);
  host.add(4);
  auto sets = host.sets();
  CHECK(sets[1].manifest->previous->run_id == run_id_of_day(3));
  CHECK(sets[2].manifest->previous->run_id == run_id_of_day(10));
  CHECK(host.verdicts() == "good, good, good");
  host.take_away(3);
  CHECK(host.verdicts() == "good, good"); // day 4 is the oldest now
  host.add(11);
  CHECK(host.verdicts() == "good, good, good");
}

TEST_CASE(
    "a set that was made while the clock was ahead is missed by nobody once it is moved away") {
  Host host;
  host.add(1);
  host.add(2);
  host.add(25); // the clock was wrong, and is set right
  host.add(3);
  host.add(4);
  CHECK(host.verdicts() == "good, good, good, good, good");
  host.take_away(25); // as the runbook of RailianceBackupClockAnomaly says
  CHECK(host.verdicts() == "good, good, good, good");
  host.add(5);
  CHECK(host.verdicts() == "good, good, good, good, good");
  CHECK(host.sets().front().manifest->catalogue.size() == 4);
  host.take_away(3); // a gap shows as before
  CHECK(host.verdicts() == "good, good, gap before, good");
}

TEST_CASE("a manifest whose signing key is not the given one is not written") {
  Host host;
  Manifest manifest = test::make_manifest(run_id_of_day(1));
  CHECK(write_signed_manifest(host.directory, manifest, host.key).error().code ==
        ErrorCode::invalid_argument);
  CHECK(host.directory.fs().list()->empty());
}

TEST_CASE(
    "without signatures: unsigned where the key may be anybody's, tampering where it is known") {
  Host host;
  host.add_unsigned(1);
  const sign::PublicKey key = host.key.public_key();
  const auto sets = host.sets();
  const auto verdict = [&](KeyOrigin origin) {
    return judge_catalogue(sets, std::span(&key, 1), origin).at(run_id_of_day(1)).verdict;
  };
  CHECK(verdict(KeyOrigin::directory) == Provenance::unsigned_before);
  CHECK(verdict(KeyOrigin::outside) == Provenance::unsigned_known);
  CHECK_FALSE(is_tampering(Provenance::unsigned_before));
  CHECK(is_tampering(Provenance::unsigned_known));
}
