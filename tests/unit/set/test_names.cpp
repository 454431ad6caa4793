#include "set/names.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::set;

TEST_CASE("classify_name knows the names of a set") {
  const std::string run_id = "20261122T020000Z";
  for (const api::ArtifactType type : api::k_all_artifacts) {
    const NameInfo info = classify_name(api::file_name(type, run_id));
    CHECK(info.kind == NameKind::artifact);
    CHECK(info.run_id == run_id);
    CHECK(info.type == type);
  }
  const NameInfo sqlite = classify_name("sqlite-20261122T020000Z.db.age");
  CHECK(sqlite.kind == NameKind::artifact);
  CHECK(sqlite.type == api::ArtifactType::datastore);
  CHECK(classify_name("sqlite-20261122T020000Z.snap.age").kind == NameKind::foreign);
  CHECK(classify_name(manifest_name(run_id)).kind == NameKind::manifest);
  CHECK(classify_name(manifest_name(run_id)).run_id == run_id);
  CHECK(classify_name(manifest_name(run_id) + ".removing").kind == NameKind::removing);
  CHECK(classify_name(manifest_name(run_id) + ".part").kind == NameKind::part);
  CHECK(classify_name("etcd-20261122T020000Z.snap.age.part").kind == NameKind::part);
  CHECK(classify_name(".last-backup").kind == NameKind::stamp);
  CHECK(classify_name(".last-backup.part").kind == NameKind::part);
  CHECK(classify_name("backup.log").kind == NameKind::log);
  CHECK(classify_name("backup.log.1").kind == NameKind::log);
  CHECK(classify_name(".last-drill").kind == NameKind::last_drill);
  CHECK(classify_name(".last-drill.part").kind == NameKind::part);
  CHECK(classify_name(".last-verify").kind == NameKind::last_verify);
  CHECK(classify_name(".last-verify.part").kind == NameKind::part);
  CHECK(classify_name(".last-restore").kind == NameKind::last_restore);
  CHECK(classify_name(".last-restore.part").kind == NameKind::part);
  CHECK(classify_name(signature_name(run_id)).kind == NameKind::signature);
  CHECK(classify_name(signature_name(run_id)).run_id == run_id);
  CHECK(classify_name(signature_name(run_id) + ".part").kind == NameKind::part);
  CHECK(classify_name("railiance-backup.pub").kind == NameKind::kit);
  CHECK(classify_name("railiance-backup.pub.part").kind == NameKind::part);
  CHECK(classify_name("RESTORE.md").kind == NameKind::kit);
  CHECK(classify_name("railiance-restore").kind == NameKind::kit);
  for (const std::string name :
       {"RESTORE.md", "railiance-restore", "railiance-backup-image.tar", ".last-backup"}) {
    CHECK(classify_name(name + ".minisig").kind == NameKind::kit);
    CHECK(classify_name(name + ".minisig.next").kind == NameKind::kit);
    CHECK(classify_name(name + ".minisig.next.part").kind == NameKind::part);
    CHECK(classify_name(name + ".minisig.minisig").kind == NameKind::foreign);
  }
  CHECK(classify_name("railiance-restore.part").kind == NameKind::part);
}

TEST_CASE("an old public key is named by its id, and is foreign to all that removes") {
  const std::string name = old_public_key_name("0123456789ABCDEF");
  CHECK(name == "railiance-backup-0123456789ABCDEF.pub");
  CHECK(old_public_key_id(name).value_or("") == "0123456789ABCDEF");
  CHECK(classify_name(name).kind == NameKind::foreign);
  for (const char* const other : {"railiance-backup-.pub",
                                  "railiance-backup.pub",
                                  "railiance-backup-0123456789abcdef.pub",
                                  "railiance-backup-0123456789ABCDEF0.pub",
                                  "railiance-backup-../../etc/passwd.pub"}) {
    CHECK_FALSE(old_public_key_id(other));
  }
}

TEST_CASE("the files of a rewrapped set bear its generation") {
  const std::string run_id = "20261122T020000Z";
  CHECK(manifest_name(run_id, 1) == "manifest-20261122T020000Z.r1.json");
  CHECK(signature_name(run_id, 2) == "manifest-20261122T020000Z.r2.json.minisig");
  CHECK(artifact_name(api::ArtifactType::datastore, run_id, 1) ==
        "etcd-20261122T020000Z.r1.snap.age");
  for (const unsigned generation : {0U, 1U, 9U, 10U, 9999U}) {
    for (const api::ArtifactType type : api::k_all_artifacts) {
      const NameInfo info = classify_name(artifact_name(type, run_id, generation));
      CHECK(info.kind == NameKind::artifact);
      CHECK(info.run_id == run_id);
      CHECK(info.type == type);
      CHECK(info.generation == generation);
    }
    const std::string manifest = manifest_name(run_id, generation);
    CHECK(classify_name(manifest).kind == NameKind::manifest);
    CHECK(classify_name(manifest).generation == generation);
    CHECK(classify_name(manifest + ".removing").kind == NameKind::removing);
    CHECK(classify_name(manifest + ".removing").generation == generation);
    CHECK(classify_name(signature_name(run_id, generation)).generation == generation);
    CHECK(classify_name(manifest + ".part").kind == NameKind::part);
    CHECK(parse_version(Version{run_id, generation}.text()) == Version{run_id, generation});
  }
  for (const char* const word :
       {"r", "r0", "r01", "r10000", "r-1", "r+1", "r1x", "R1", "1", "r1.r1"}) {
    CAPTURE(word);
    CHECK_FALSE(parse_version(run_id + "." + word));
    CHECK(classify_name("manifest-" + run_id + "." + word + ".json").kind == NameKind::foreign);
  }
}

TEST_CASE("classify_name: whatever is not exactly ours is foreign") {
  for (const char* name : {"",
                           ".part",
                           ".removing",
                           "notes.txt",
                           "notes.txt.part",
                           "backup.log.part",
                           "etcd-.snap.age",
                           "etcd-20261122T020000Z.snap",
                           "etcd-20261122T020000Z.snap.age.bak",
                           "etcd-20261322T020000Z.snap.age",
                           "etcd-20261122T020000Z-copy.snap.age",
                           "my-etcd-20261122T020000Z.snap.age",
                           "ETCD-20261122T020000Z.snap.age",
                           "etcd-20261122T020000Z.tar.gz.age",
                           "manifest-latest.json",
                           "manifest-latest.json.minisig",
                           "manifest-20261122T020000Z.json.minisig.removing",
                           "manifest-20261122T020000Z.minisig",
                           "railiance-backup-0123456789ABCDEF.pub",
                           "manifest-20261122T020000Z.json.part.part",
                           "kubeconfig-20261122T020000Z.yaml.age.removing"}) {
    CAPTURE(name);
    CHECK(classify_name(name).kind == NameKind::foreign);
  }
}
