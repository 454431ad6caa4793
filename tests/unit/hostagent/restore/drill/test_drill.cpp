#include "support/backup_fixture.hpp"
#include "support/bolt_builder.hpp"
#include "support/sets.hpp"

#include "base/json_fields.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <random>

using namespace rb;
using api::ArtifactType;
using test::BackupFixture;
using test::run_id_of_day;

namespace {

const std::string k_run = run_id_of_day(1);

struct DrillFixture : BackupFixture {
  test::Outcome drill(std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"drill", "-i", keys()});
    return run(std::move(more));
  }
  [[nodiscard]] nlohmann::json last() const {
    return json_of(test::read_file(backups() + "/.last-drill"));
  }
  [[nodiscard]] std::string log() const { return test::read_file(backups() + "/backup.log"); }

  /// The drill fails with 6 and says `words`, on the spot and in what it leaves behind.
  void check_damaged(const std::string& words) {
    const auto result = drill();
    INFO(result.out);
    INFO(words);
    CHECK(result.code == 6);
    CHECK(result.out.find(words) != std::string::npos);
    CHECK(result.out.find("drill: Damaged in ") != std::string::npos);
    CHECK(result.err.find("hint: make a new backup now (`railiance-backup create") !=
          std::string::npos);
    CHECK(last().at("message").get<std::string>().find(words) != std::string::npos);
    CHECK(log().find(" drill result=Damaged run=" + k_run + " code=6 ") != std::string::npos);
  }

  /// What the cluster had in it is odd, and no damage: the drill passes, and says `words`.
  void check_odd(const std::string& words) {
    const auto result = drill();
    INFO(result.out);
    INFO(words);
    CHECK(result.code == 0);
    CHECK(result.out.find("odd: ") != std::string::npos);
    CHECK(result.out.find(words) != std::string::npos);
    CHECK(result.out.find("drill: Passed in ") != std::string::npos);
  }
};

/// Of the one key in `file`.
std::string recipient_in(const std::string& file) {
  const std::string text = test::read_file(file);
  const std::size_t begin = text.find("AGE-SECRET-KEY-");
  return age::Identity::parse(text.substr(begin, text.find('\n', begin) - begin))
      .value()
      .recipient()
      .text();
}

std::string other_snapshot(const std::string& token_hash) {
  return std::string(as_text(test::with_trailer(test::make_bolt(test::etcd_buckets(
      {{test::revision_key(2, 0), test::key_value("/registry/pods/x")},
       {test::revision_key(3, 0), test::key_value("/bootstrap/" + token_hash)}})))));
}

} // namespace

TEST_CASE_FIXTURE(DrillFixture, "drill: a good set passes, and it is on record") {
  const auto manifest = add_set(k_run);
  const auto result = drill();
  INFO(result.out);
  CHECK(result.code == 0);
  CHECK(result.out.starts_with(k_run + ": ok (complete)\n"));
  CHECK(result.out.find("snapshot digest, revision 402, 301 keys, bootstrap key of the token\n") !=
        std::string::npos);
  CHECK(result.out.find("3 files, server token\n") != std::string::npos);
  CHECK(result.out.find("2 files, 1 release\n") != std::string::npos);
  CHECK(result.out.find("kubeconfig, cluster CA, client certificate\n") != std::string::npos);
  CHECK(result.out.ends_with("drill: Passed in 0 s\n"));
  CHECK(result.err.starts_with(k_run + ": opening 6 files, "));
  CHECK(result.err.find("etcd-" + k_run + ".snap.age: ok\n") != std::string::npos);
  CHECK(last().at("result") == "Passed");
  CHECK(last().at("runID") == k_run);
  CHECK(last().at("etcdRevision") == 402);
  CHECK(last().at("etcdTotalKeys") == 301);
  CHECK(last().at("files").size() == 4);
  CHECK(last().at("boot").is_null());
  CHECK(log() == "2026-01-10T03:00:00Z drill result=Passed run=" + k_run +
                     " code=0 milliseconds=0 etcd_revision=402 etcd_total_keys=301\n");
  CHECK(run_json({"drill", "-i", keys()}) == last());
}

TEST_CASE_FIXTURE(DrillFixture, "drill: no byte of plaintext reaches the disk") {
  add_set(k_run);
  CHECK(drill().code == 0);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(backups())) {
    if (entry.is_regular_file()) {
      const std::string content = test::read_file(entry.path());
      CHECK(content.find("5ecret") == std::string::npos);
      CHECK(content.find("replicas") == std::string::npos);
    }
  }
  CHECK(std::distance(std::filesystem::directory_iterator(backups()), {}) == 9);
}

TEST_CASE_FIXTURE(DrillFixture, "drill --no-record leaves the directory as it was") {
  add_set(k_run);
  CHECK(drill({"--no-record"}).code == 0);
  CHECK(!std::filesystem::exists(backups() + "/.last-drill"));
  CHECK(!std::filesystem::exists(backups() + "/backup.log"));
}

TEST_CASE_FIXTURE(DrillFixture, "drill: a bit flipped at each of 1,000 random places is noticed") {
  add_set(k_run);
  const unsigned seed = std::random_device{}();
  std::cout << "drill, 1,000 flipped bits: seed " << seed << '\n';
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 1000; ++i) {
    // Each file as often as the others: most bytes are in the snapshot.
    const ArtifactType type = api::k_all_artifacts.at(static_cast<std::size_t>(i) % 4);
    const std::string path = artifact(type, k_run);
    const std::string good = test::read_file(path);
    std::string bad = good;
    const std::size_t at = random() % bad.size();
    bad[at] = static_cast<char>(static_cast<unsigned char>(bad[at]) ^ (1U << random() % 8));
    test::write_file(path, bad);
    CAPTURE(path);
    CAPTURE(at);
    const int code = drill({"--no-record"}).code;
    // A change in the recipient's stanza may make the file one for somebody else.
    REQUIRE((code == 6 || (at < 200 && code == 5)));
    test::write_file(path, good);
  }
  CHECK(drill().code == 0);
}

TEST_CASE_FIXTURE(DrillFixture, "drill: a key that does not fit, and none") {
  add_set(k_run);
  const auto wrong = run({"drill", "-i", other_keys()});
  CHECK(wrong.code == 5);
  CHECK(wrong.out.find("drill: NoIdentity in ") != std::string::npos);
  CHECK(wrong.err.find("hint: the set was made for other recipients") != std::string::npos);
  const auto none = run({"drill", "-i", file("no-keys")});
  CHECK(none.code == 5);
  CHECK(none.err.find("hint: name the file with the private age key") != std::string::npos);
  CHECK(run({"drill"}).code == 5); // no place was named, and none of SOPS's has a key
}

TEST_CASE_FIXTURE(DrillFixture, "drill: what could not begin leaves the outcome before it") {
  add_set(k_run);
  CHECK(drill().code == 0);
  const std::vector<std::vector<std::string>> mistaken{
      {"drill", "-i", file("no-keys")},             // a path with a mistake in it
      {"drill", "-i", other_keys()},                // the key of something else
      {"drill", "-i", keys(), "20200101T000000Z"}}; // a set that was never there
  for (const auto& args : mistaken) {
    CAPTURE(args.back());
    const auto result = run(args);
    CHECK(result.code != 0);
    CHECK(result.err.find("it is in backup.log, and the outcome of the drill before stands\n") !=
          std::string::npos);
    CHECK(last().at("result") == "Passed");
    CHECK(last().at("runID") == k_run);
  }
  CHECK(log().find(" drill result=NoIdentity run=" + k_run + " code=5 ") != std::string::npos);
  CHECK(log().find(" drill result=NoIdentity code=5 ") != std::string::npos);
  CHECK(log().find(" drill result=NothingToRestore code=4 ") != std::string::npos);
}

TEST_CASE_FIXTURE(DrillFixture, "drill: a key of the sets that does not open the newest is told") {
  auto before = add_set(k_run);
  before.recipients = {recipient_in(other_keys())};
  sign(before);
  add_set(run_id_of_day(2));
  CHECK(run({"drill", "-i", other_keys()}).code == 5);
  CHECK(last().at("result") == "NoIdentity");
  CHECK(last().at("runID") == run_id_of_day(2));
}

TEST_CASE_FIXTURE(DrillFixture,
                  "drill: an older set that passes clears no newer one that did not") {
  add_set(k_run);
  const std::string newest = run_id_of_day(2);
  add_set(newest);
  const std::string path = artifact(ArtifactType::datastore, newest);
  std::string content = test::read_file(path);
  char& byte = content[content.size() / 2];
  byte = static_cast<char>(byte ^ 1); // rotten: of the right size, so that a listing shows nothing
  test::write_file(path, content);
  CHECK(drill().code == 6);
  const auto older = drill({k_run}); // as the runbook says: which sets are good?
  CHECK(older.code == 0);
  CHECK(older.err.find("on record stays that set " + newest) != std::string::npos);
  CHECK(last().at("runID") == newest);
  CHECK(last().at("result") == "Damaged");
  CHECK(log().find(" drill result=Passed run=" + k_run + " code=0 ") != std::string::npos);
  // A drill of a set of now does, and so does one where the bad set is gone.
  add_set(run_id_of_day(3));
  CHECK(drill().code == 0);
  CHECK(last().at("runID") == run_id_of_day(3));
  test::write_file(artifact(ArtifactType::datastore, run_id_of_day(3)), content);
  CHECK(drill().code == 6);
  for (const auto& file : std::filesystem::directory_iterator(backups())) {
    if (file.path().string().find(run_id_of_day(3)) != std::string::npos) {
      std::filesystem::remove(file.path());
    }
  }
  CHECK(drill({k_run}).code == 0);
  CHECK(last().at("runID") == k_run);
}

TEST_CASE_FIXTURE(DrillFixture, "drill: nothing to drill") {
  CHECK(drill().code == 4);
  CHECK(last().at("result") == "NothingToRestore");
  add_set(k_run);
  CHECK(drill({"20200101T000000Z"}).code == 4);
  CHECK(run({"drill", "-i", keys(), "--backup-dir", file("nowhere")}).code == 4);
  CHECK(!std::filesystem::exists(file("nowhere")));
}

TEST_CASE_FIXTURE(
    DrillFixture,
    "drill: what `restore` would take is drilled, and 3 where something of it is missing") {
  add_incomplete_set(run_id_of_day(2));
  CHECK(drill().code == 3);
  CHECK(last().at("result") == "Incomplete");
  CHECK(last().at("message") ==
        "HelmValues is missing: HelmFailed: the releases could not be listed");
  add_set(k_run);
  CHECK(drill().code == 3); // its datastore is newer, and a cluster comes back from it
  CHECK(last().at("runID") == run_id_of_day(2));
  test::write_file(artifact(ArtifactType::kubeconfig, run_id_of_day(3)), "cut off");
  CHECK(drill().err.find("passing over " + run_id_of_day(3) + ": its run was cut off\n") !=
        std::string::npos);
  CHECK(drill({k_run}).code == 0);
}

TEST_CASE_FIXTURE(DrillFixture, "drill: the newest set is damaged") {
  add_set(run_id_of_day(0));
  add_set(k_run);
  SUBCASE("a file is gone") {
    std::filesystem::remove(artifact(ArtifactType::host_state, k_run));
    check_damaged("host-state-" + k_run + ".tar.gz.age");
  }
  SUBCASE("a manifest that cannot be read") {
    test::write_file(backups() + "/manifest-" + k_run + ".json", "{");
    CHECK(drill().code == 6);
    CHECK(last().at("runID") == k_run);
  }
  SUBCASE("a file is cut off") {
    const std::string path = artifact(ArtifactType::datastore, k_run);
    test::write_file(path, test::read_file(path).substr(0, 100'000));
    check_damaged("etcd-" + k_run + ".snap.age");
  }
}

TEST_CASE_FIXTURE(DrillFixture, "drill: the snapshot of another set, swapped in") {
  add_set(run_id_of_day(0));
  const std::string other = encrypt(other_snapshot("f65da3a06da0"));
  add_set(k_run);
  SUBCASE("with the manifest as it was") {
    test::write_file(artifact(ArtifactType::datastore, k_run), other);
    check_damaged("has 12520 bytes, the manifest says ");
  }
  SUBCASE("with digests that were made to match") {
    replace_content(ArtifactType::datastore, k_run, other_snapshot("f65da3a06da0"));
    check_damaged("its digest is not that of the manifest");
  }
}

TEST_CASE_FIXTURE(DrillFixture, "drill: a snapshot of another cluster or another token") {
  set::Manifest manifest = add_set(k_run);
  // As if the run had taken the snapshot of one cluster and the token of another.
  manifest.token_hash = "000000000000";
  sign(manifest);
  check_damaged("it has no bootstrap key of the server token");
}

TEST_CASE_FIXTURE(DrillFixture, "drill: host state without its token, or with that of another") {
  add_set(k_run);
  SUBCASE("of another cluster") {
    replace_content(ArtifactType::host_state, k_run, test::host_state("K10bb::server:0ther"));
    check_damaged("its server token is not the one that the manifest names");
    CHECK(log().find("0ther") == std::string::npos);
  }
  SUBCASE("no token") {
    replace_content(ArtifactType::host_state, k_run, test::host_state(""));
    check_damaged("there is no server token in it");
  }
  SUBCASE("no host.json") {
    replace_content(ArtifactType::host_state, k_run, test::tar_gz({{"a", "b"}}));
    check_damaged("there is no host.json in it");
  }
  SUBCASE("of another run") {
    replace_content(ArtifactType::host_state,
                    k_run,
                    test::tar_gz({{"var/lib/rancher/k3s/server/token", test::k_token},
                                  {"host.json",
                                   R"({"schema": "railiance.io/host-state/v1",
                                       "runID": "20200101T000000Z"})"}}));
    check_damaged("it is of the run 20200101T000000Z");
  }
  SUBCASE("not an archive") {
    replace_content(ArtifactType::host_state, k_run, "not a tar");
    check_damaged("host state: ");
  }
}

TEST_CASE_FIXTURE(
    DrillFixture,
    "drill: Helm values that could not be used are odd, and the cluster can be restored") {
  add_set(k_run);
  const auto index = [](const std::string& releases) {
    return R"({"format": "railiance-backup/helm-values/v1", "releases": [)" + releases + "]}";
  };
  const std::string web = R"({"namespace": "shop", "name": "web", "file": "shop/web.yaml",
                              "chart": {"name": "nginx", "version": "1"}})";
  const auto put = [&](const std::vector<std::pair<std::string, std::string>>& files) {
    replace_content(ArtifactType::helm_values, k_run, test::tar_gz(files));
  };
  SUBCASE("no index") {
    put({{"shop/web.yaml", "a: 1\n"}});
    check_odd("there is no index.json in it");
  }
  SUBCASE("not YAML") {
    put({{"shop/web.yaml", "a: [\n"}, {"index.json", index(web)}});
    check_odd("shop/web.yaml is not a YAML mapping");
  }
  SUBCASE("a scalar") {
    put({{"shop/web.yaml", "hello"}, {"index.json", index(web)}});
    check_odd("shop/web.yaml is not a YAML mapping");
  }
  SUBCASE("values gone") {
    put({{"index.json", index(web)}});
    check_odd("shop/web: its values are not in the archive");
  }
  SUBCASE("fewer releases than the manifest says") {
    put({{"index.json", index("")}});
    check_odd("it holds 0 releases, the manifest says 1");
  }
  SUBCASE("files that nobody names") {
    put({{"shop/web.yaml", "a: 1\n"}, {"x", "y"}, {"index.json", index(web)}});
    check_odd("x: index.json does not name it");
  }
}

TEST_CASE_FIXTURE(
    DrillFixture,
    "drill: a kubeconfig that opens nothing is odd, and the cluster can be restored") {
  add_set(k_run);
  const std::string good = test::plaintext_of(ArtifactType::kubeconfig);
  const auto without = [&](const std::string& word) {
    std::string text = good;
    text.replace(text.find(word), word.size(), "x");
    return text;
  };
  const std::vector<std::pair<std::string, std::string>> cases{
      {"a: [", "not YAML"},
      {"clusters", "not a YAML mapping"},
      {without("clusters"), "names no cluster"},
      {without("server:"), "not YAML"},
      {without("client-certificate-data"), "holds no credentials"},
      {without("client-key-data"), "holds no credentials"},
      {good + "---\na: b\n", "not one YAML document"},
      {good.substr(0, good.size() - 3), "client-key-data is not PEM in base64"},
  };
  for (const auto& [content, words] : cases) {
    CAPTURE(content);
    replace_content(ArtifactType::kubeconfig, k_run, content);
    if (words != "not YAML") {
      check_odd(words);
    } else {
      check_odd("odd: ");
    }
  }
}

TEST_CASE_FIXTURE(DrillFixture, "drill: an outcome that cannot be recorded is a failure") {
  add_set(k_run);
  std::filesystem::create_directory(backups() + "/.last-drill");
  const auto result = drill();
  CHECK(result.code == 1);
  CHECK(result.err.find("the outcome is not recorded: ") != std::string::npos);
  CHECK(result.err.find("--no-record") != std::string::npos);
}

TEST_CASE_FIXTURE(DrillFixture, "drill --boot: what this host lacks says nothing of the set") {
  add_set(k_run);
  const auto result = drill({"--boot", "--k3s", "/nonexistent/k3s"}); // or it is not root
  CHECK(result.code != 0);
  CHECK(result.out.find(", but no server was booted\n") != std::string::npos);
  CHECK(last().at("result") == "Passed");
  CHECK(last().at("message").get<std::string>().starts_with("no server was booted: "));
  CHECK(last().at("boot").at("exitCode") == result.code);
}

TEST_CASE_FIXTURE(DrillFixture, "drill --boot: one that somebody stopped is not on record") {
  if (::geteuid() != 0) {
    return; // it would end before k3s is asked
  }
  add_set(k_run);
  const std::string k3s = file("k3s");
  test::write_file(k3s, "#!/bin/sh\nkill -INT $PPID\nsleep 5\n");
  REQUIRE(::chmod(k3s.c_str(), 0755) == 0);
  const auto result = drill({"--boot", "--k3s", k3s, "--scratch-dir", "/var/tmp"});
  CHECK(result.code != 0);
  CHECK(result.err.find("stopped: nothing is recorded\n") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(backups() + "/.last-drill"));
}
