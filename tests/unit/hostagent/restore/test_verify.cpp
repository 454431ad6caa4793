#include "restore/backups.hpp"
#include "set/marks.hpp"
#include "set/retention.hpp"
#include "support/backup_fixture.hpp"
#include "support/bolt_builder.hpp"
#include "support/sets.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <random>
#include <sstream>

using namespace rb;
using api::ArtifactType;
using test::BackupFixture;
using test::run_id_of_day;

namespace {

const std::string k_run = run_id_of_day(1);

} // namespace

TEST_CASE_FIXTURE(BackupFixture, "verify: a good set, without and with a key") {
  add_set(k_run);
  const auto without = run({"verify"});
  CHECK(without.code == 0);
  CHECK(without.out.starts_with(k_run + ": ok (complete)\n"));
  CHECK(without.out.find("checked without a key") != std::string::npos);
  const auto with = run({"verify", "latest", "-i", keys()});
  INFO(with.out);
  CHECK(with.code == 0);
  CHECK(with.out.find("digest, decrypted, snapshot digest, revision 402, 301 keys, bootstrap key "
                      "of the token\n") != std::string::npos);
  CHECK(with.out.find("digest, decrypted, 2 files, 1 release\n") != std::string::npos);
  CHECK(with.out.find("checked without") == std::string::npos);
}

TEST_CASE_FIXTURE(BackupFixture, "verify: every flipped bit of every file is noticed") {
  add_set(k_run);
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (const ArtifactType type : api::k_all_artifacts) {
    const std::string path = artifact(type, k_run);
    const std::string good = test::read_file(path);
    for (int i = 0; i < 12; ++i) {
      std::string bad = good;
      const std::size_t at = random() % bad.size();
      bad[at] = static_cast<char>(static_cast<unsigned char>(bad[at]) ^ (1U << random() % 8));
      test::write_file(path, bad);
      CAPTURE(path);
      CAPTURE(at);
      REQUIRE(run({"verify"}).code == 6);
      const int code = run({"verify", "-i", keys()}).code;
      // A change in the recipient's stanza may make the file one for somebody else.
      REQUIRE((code == 6 || (at < 200 && code == 5)));
    }
    test::write_file(path, good);
  }
  CHECK(run({"verify", "-i", keys()}).code == 0);
}

TEST_CASE_FIXTURE(BackupFixture, "verify: a file that is cut off, longer, empty or gone") {
  add_set(k_run);
  const std::string path = artifact(ArtifactType::helm_values, k_run);
  const std::string good = test::read_file(path);
  for (const std::string& bad : {good.substr(0, good.size() - 1), good + "x", std::string()}) {
    test::write_file(path, bad);
    CHECK(run({"verify"}).code == 6);
    CHECK(run({"verify", "-i", keys()}).code == 6);
  }
  std::filesystem::remove(path);
  const auto result = run({"verify"});
  CHECK(result.code == 6);
  CHECK(result.out.find("is gone") != std::string::npos);
}

TEST_CASE_FIXTURE(BackupFixture, "verify: no identity opens it") {
  add_set(k_run);
  const auto result = run({"verify", "-i", other_keys()});
  CHECK(result.code == 5);
  CHECK(result.out.find("NOT OPENED") != std::string::npos);
  CHECK(result.err.find("hint: these sets were made for other recipients") != std::string::npos);
  CHECK(run({"verify", "-i", other_keys(), "-i", keys()}).code == 0);
}

TEST_CASE_FIXTURE(BackupFixture, "verify: an incomplete set is 3, damage is worse") {
  add_incomplete_set(k_run);
  const auto result = run({"verify", "-i", keys()});
  CHECK(result.code == 3);
  CHECK(result.out.find("INCOMPLETE (incomplete)") != std::string::npos);
  CHECK(result.out.find("HelmValues is missing") != std::string::npos);
  test::write_file(artifact(ArtifactType::kubeconfig, k_run), "x");
  CHECK(run({"verify", "-i", keys()}).code == 6);
}

TEST_CASE_FIXTURE(BackupFixture, "verify: a set that was cut off is checked as far as it goes") {
  add_set(k_run);
  std::filesystem::remove(backups() + "/manifest-" + k_run + ".json");
  const auto result = run({"verify", "-i", keys()});
  CHECK(result.code == 3);
  CHECK(result.out.find("decrypted, snapshot digest, revision 402, 301 keys\n") !=
        std::string::npos);
  CHECK(result.out.find("there is no manifest") != std::string::npos);
}

TEST_CASE_FIXTURE(BackupFixture, "verify --all: the worst of all sets counts") {
  add_set(k_run);
  add_set(run_id_of_day(2));
  CHECK(run({"verify", "--all"}).code == 0);
  test::write_file(artifact(ArtifactType::kubeconfig, k_run), "x");
  CHECK(run({"verify"}).code == 0); // the newest
  const auto json = run_json({"verify", "--all", "-i", keys()});
  CHECK(json.at("exitCode") == 6);
  CHECK(json.at("withKey") == true);
  CHECK(json.at("sets").at(0).at("exitCode") == 0);
  CHECK(json.at("sets").at(1).at("exitCode") == 6);
}

// A check of all sets takes as long as a run, and the oldest ones come last.
TEST_CASE_FIXTURE(BackupFixture, "verify: what retention removes meanwhile is no damage") {
  add_set(k_run);
  add_set(run_id_of_day(2));
  std::istringstream in;
  std::ostringstream out;
  const RealClock clock;
  const restore::Io io{{"railiance-restore", out, out, clock}, in};
  restore::Options options;
  options.backup_dir = backups();
  auto there = restore::open_backups(options, {}, io).value();
  const auto check = [&](const std::string& run_id) {
    return restore::check_current(there, run_id, {}, {}, options, io);
  };
  SUBCASE("all of it") {
    REQUIRE(set::remove_set(there.directory, k_run));
    CHECK_FALSE(check(k_run));
    CHECK(there.sets.size() == 1);
    CHECK_FALSE(check(k_run));
  }
  SUBCASE("its manifest and the first file: the others follow") {
    REQUIRE(there.directory.fs().rename_over("manifest-" + k_run + ".json",
                                             "manifest-" + k_run + ".json.removing"));
    std::filesystem::remove(artifact(ArtifactType::kubeconfig, k_run));
    CHECK_FALSE(check(k_run));
  }
  SUBCASE("a file alone is damage") {
    std::filesystem::remove(artifact(ArtifactType::kubeconfig, k_run));
    const auto report = check(k_run);
    REQUIRE(report);
    CHECK(report->code == ExitCode::damaged);
  }
  const auto other = check(run_id_of_day(2));
  REQUIRE(other);
  CHECK(other->code == ExitCode::done);
}

TEST_CASE_FIXTURE(BackupFixture, "verify --all --record: the outcome stays beside the sets") {
  const auto mark = [&] {
    return set::parse_last_verify(test::read_file(backups() + "/.last-verify")).value();
  };
  CHECK(run({"verify", "--all", "--record"}).code == 4);
  CHECK(mark().result == "NothingToRestore");
  CHECK(mark().sets == 0);

  add_set(k_run);
  add_incomplete_set(run_id_of_day(2));
  CHECK(run({"verify", "--all", "--record", "-i", keys()}).code == 3);
  CHECK(mark().result == "Incomplete");
  CHECK(mark().sets == 2);
  CHECK(mark().incomplete_sets == 1);
  CHECK(mark().bad_sets == 0);
  CHECK(mark().with_key);
  CHECK(mark().message.starts_with(run_id_of_day(2) + ": "));

  test::write_file(artifact(ArtifactType::kubeconfig, k_run), "x");
  CHECK(run({"verify", "--all", "--record"}).code == 6);
  CHECK(mark().result == "Damaged");
  CHECK(mark().bad_sets == 1);
  CHECK_FALSE(mark().with_key);
  CHECK(mark().message.starts_with(k_run + ": "));

  CHECK(run({"verify", "--all", "--record", "-i", other_keys()}).code == 6);
  CHECK(mark().bad_sets == 2);
}

TEST_CASE_FIXTURE(BackupFixture, "verify --all --record: a key of something else is no outcome") {
  add_set(k_run);
  CHECK(run({"verify", "--all", "--record"}).code == 0);
  const std::string before = test::read_file(backups() + "/.last-verify");
  for (const std::string& keys : {backups() + "/none", other_keys()}) {
    CAPTURE(keys);
    const auto result = run({"verify", "--all", "--record", "-i", keys});
    CHECK(result.code == 5);
    CHECK(result.err.find("nothing was proven or disproven, and nothing is recorded\n") !=
          std::string::npos);
    CHECK(test::read_file(backups() + "/.last-verify") == before);
  }
}

TEST_CASE_FIXTURE(BackupFixture, "verify writes nothing where it is not asked to") {
  add_set(k_run);
  CHECK(run({"verify", "--all"}).code == 0);
  CHECK(run({"verify", "--all", "-i", keys()}).code == 0);
  CHECK_FALSE(std::filesystem::exists(backups() + "/.last-verify"));
  CHECK_FALSE(std::filesystem::exists(backups() + "/backup.log"));
  const auto one = run({"verify", "latest", "--record"});
  CHECK(one.code == 2);
  CHECK(one.err.find("--record is for the check of all sets") != std::string::npos);
}

TEST_CASE_FIXTURE(BackupFixture, "verify --all --record: an outcome that cannot be left is told") {
  add_set(k_run);
  // A directory in the mark's place: nobody can put a file there.
  std::filesystem::create_directories(backups() + "/.last-verify/x");
  const auto result = run({"verify", "--all", "--record"});
  CHECK(result.code == 1);
  CHECK(result.err.find("the outcome is not recorded") != std::string::npos);
  CHECK(result.err.find("without --record") != std::string::npos);
  CHECK(result.out.find(": ok (complete)") != std::string::npos);
}

TEST_CASE_FIXTURE(BackupFixture, "verify: another snapshot, whose digests were made to match") {
  add_set(k_run);
  const auto put = [&](const std::string& snapshot) {
    replace_content(ArtifactType::datastore, k_run, snapshot);
    return run({"verify", "-i", keys()});
  };
  SUBCASE("of another cluster") {
    const Bytes other = test::with_trailer(test::make_bolt(
        test::etcd_buckets({{test::revision_key(2, 0), test::key_value("/registry/pods/x")}})));
    const auto result = put(std::string(as_text(other)));
    CHECK(result.code == 6);
    CHECK(result.out.find("its digest is not that of the manifest") != std::string::npos);
  }
  SUBCASE("with a flipped bit") {
    std::string snapshot = test::plaintext_of(ArtifactType::datastore);
    snapshot[snapshot.size() / 2] = static_cast<char>(snapshot[snapshot.size() / 2] ^ 1);
    const auto result = put(snapshot);
    CHECK(result.code == 6);
    CHECK(result.out.find("does not have the digest that the file ends with") != std::string::npos);
  }
  SUBCASE("truncated") {
    const std::string snapshot = test::plaintext_of(ArtifactType::datastore);
    CHECK(put(snapshot.substr(0, snapshot.size() / 2)).code == 6);
    CHECK(put("").code == 6);
  }
  SUBCASE("a right digest over a broken database") {
    const Bytes broken = test::with_trailer(Bytes(8192, 7));
    const auto result = put(std::string(as_text(broken)));
    CHECK(result.code == 6);
    CHECK(result.out.find("no valid meta page") != std::string::npos);
  }
}

TEST_CASE_FIXTURE(BackupFixture, "verify: a host state that is none is damaged") {
  add_set(k_run);
  replace_content(ArtifactType::host_state, k_run, "not a tar");
  CHECK(run({"verify"}).code == 0); // nothing is wrong without a look inside
  CHECK(run({"verify", "-i", keys()}).code == 6);
}

TEST_CASE_FIXTURE(BackupFixture,
                  "verify: Helm values and kubeconfigs that are none are odd, never damaged") {
  add_set(k_run);
  ArtifactType type{};
  const auto found = [&](const std::string& content) {
    replace_content(type, k_run, content);
    CHECK(run({"verify"}).code == 0);
    const auto result = run({"verify", "-i", keys()});
    INFO(result.out);
    CHECK(result.code == 0);
    CHECK(result.out.find("  - odd: " + api::file_name(type, k_run) + ": ") != std::string::npos);
    const auto json = run_json({"verify", "-i", keys()});
    bool listed = false;
    for (const auto& file : json.at("sets").at(0).at("files")) {
      listed = listed || (file.at("oddTotal") > 0 && !file.at("odd").empty() &&
                          file.at("type") == api::to_string(type));
    }
    CHECK(listed);
  };
  SUBCASE("kubeconfig") {
    type = ArtifactType::kubeconfig;
    for (const char* content :
         {"", "hello", "{", "a: b", "--- 1\n--- 2\n", "clusters: 7\nusers: [x]\n", "\x01\xff"}) {
      CAPTURE(content);
      found(content);
    }
  }
  SUBCASE("Helm values") {
    type = ArtifactType::helm_values;
    for (const char* content : {"", "not a tar", "\x1f\x8b\x08"}) {
      CAPTURE(content);
      found(content);
    }
  }
}

TEST_CASE_FIXTURE(BackupFixture, "verify: bad key files and sets that are not there") {
  CHECK(run({"verify"}).code == 4);
  add_set(k_run);
  CHECK(run({"verify", "20200101T000000Z"}).code == 4);
  const auto missing = run({"verify", "-i", file("no-keys")});
  CHECK(missing.code == 5);
  CHECK(missing.err.find("hint: ") != std::string::npos);
  test::write_file(file("bad"), "AGE-SECRET-KEY-1NOTAKEY\n");
  const auto bad = run({"verify", "-i", file("bad")});
  CHECK(bad.code == 5);
  CHECK(bad.err.find("NOTAKEY") == std::string::npos);
}

TEST_CASE_FIXTURE(BackupFixture, "verify writes nothing") {
  add_set(k_run);
  const auto names = [&] {
    std::vector<std::string> all;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(file(""))) {
      all.push_back(entry.path());
    }
    return all;
  };
  const auto before = names();
  CHECK(run({"verify", "-i", keys()}).code == 0);
  CHECK(names() == before);
}
