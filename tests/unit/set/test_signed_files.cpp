// The files beside the sets that are signed for themselves, and what a crash leaves of them.
#include "set/signed_files.hpp"
#include "set/signed_write.hpp"
#include "sign/signing_key.hpp"
#include "support/fault_disk.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::set;

namespace {

struct Place {
  test::FaultDisk disk;
  Directory directory{disk.mount(), "/backup"};
  sign::SigningKey key = sign::SigningKey::generate().value();

  FileTrust trust(std::string_view name = "RESTORE.md") {
    const sign::PublicKey own = key.public_key();
    return judge_signed_file(directory, name, std::span(&own, 1)).trust;
  }
  void write(const std::string& text) {
    REQUIRE(write_signed_file(directory, "RESTORE.md", as_bytes(text), key));
  }
  void put(const std::string& name, const std::string& text) {
    disk.put(name, Bytes(text.begin(), text.end()));
  }
};

} // namespace

TEST_CASE("signed file: good as it was written, and under its own name only") {
  Place place;
  CHECK(place.trust() == FileTrust::absent);
  place.write("one");
  CHECK(place.trust() == FileTrust::genuine);
  CHECK_FALSE(place.disk.contents().contains("RESTORE.md.minisig.next"));
  for (const char* const end : {"", ".minisig"}) {
    const Bytes content = place.disk.contents().at(std::string("RESTORE.md") + end);
    place.disk.put(std::string("railiance-restore") + end, content);
  }
  CHECK(place.trust("railiance-restore") == FileTrust::tampered);
}

TEST_CASE("signed file: at no crash between file and signature does it look like somebody else's") {
  Place place;
  place.write("one");
  const sign::Blake2bDigest two = sign::blake2b_512(as_bytes("two"));
  REQUIRE(announce_signature(place.directory, "RESTORE.md", two, place.key));
  CHECK(place.trust() == FileTrust::genuine); // still the old one
  place.put("RESTORE.md", "two");
  CHECK(place.trust() == FileTrust::genuine);
  SUBCASE("the next run begins with a third content, and crashes as early") {
    const sign::Blake2bDigest three = sign::blake2b_512(as_bytes("three"));
    REQUIRE(announce_signature(place.directory, "RESTORE.md", three, place.key));
    CHECK(place.trust() == FileTrust::genuine);
  }
  SUBCASE("the next run writes it anew") {
    place.write("three");
    CHECK(place.trust() == FileTrust::genuine);
  }
}

TEST_CASE("signed file: what the manifests of good sets say was signed must be so") {
  Place place;
  place.put("RESTORE.md", "theirs");
  BackupSet set;
  set.run_id = "20260101T000000Z";
  set.manifest = Manifest{};
  set.manifest->signed_files = {"RESTORE.md"};
  const sign::PublicKey own = place.key.public_key();
  const auto trust_beside = [&](Provenance verdict) {
    const auto files = judge_signed_files(
        place.directory, {set}, {{set.run_id, {verdict, {}, {}}}}, std::span(&own, 1));
    return files.at(1).trust;
  };
  CHECK(trust_beside(Provenance::genuine) == FileTrust::signature_missing);
  CHECK(trust_beside(Provenance::removed_before) == FileTrust::signature_missing);
  CHECK(trust_beside(Provenance::other_key) == FileTrust::not_signed); // anybody's word
}

TEST_CASE(
    "signed file: a manifest vouches for what is signed or not there, not for what is unsigned") {
  Place place;
  place.write("one");
  place.put(".last-backup", "run_id=x\n");
  CHECK(files_vouched_for(place.directory, place.key.public_key()) ==
        std::vector<std::string>{"railiance-restore", "RESTORE.md", "railiance-backup-image.tar"});
}
