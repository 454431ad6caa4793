// Where private keys come from: -i, else everything that SOPS looks at, joined.
#include "keys_fixture.hpp"
#include "restore/secret_input.hpp"

#include "age/file.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

using namespace rb;
using test::has;
using test::KeysFixture;
using test::Outcome;

namespace {

constexpr const char* k_run = "20260101T020000Z";

} // namespace

TEST_CASE_FIXTURE(KeysFixture, "keys: SOPS_AGE_KEY holds them, several in a line too") {
  sops_key = "# mine\n" + other + " " + key;
  const Outcome result = decrypt();
  INFO(result.err);
  CHECK(result.code == 0);
  CHECK(result.out == "plain");
  CHECK(result.err.empty());
}

TEST_CASE_FIXTURE(KeysFixture, "keys: SOPS_AGE_KEY_FILE names them") {
  sops_key_file = keys();
  CHECK(decrypt().out == "plain");
}

TEST_CASE_FIXTURE(KeysFixture, "keys: the program of SOPS_AGE_KEY_CMD prints them") {
  sops_key_command = "cat '" + keys() + "'";
  CHECK(decrypt().out == "plain");
  // It gets the operator's environment.
  sops_key_command = "sh -c 'test \"$OWN\" = 1 && cat \"$0\"' '" + keys() + "'";
  CHECK(decrypt().out == "plain");
}

TEST_CASE_FIXTURE(KeysFixture, "keys: sops/age/keys.txt of the user is read") {
  default_identity_file = keys();
  CHECK(decrypt().out == "plain");
}

TEST_CASE_FIXTURE(KeysFixture, "keys: all sources are joined, the first does not win") {
  const std::string wrong = other_keys();
  for (int right = 0; right < 4; ++right) {
    CAPTURE(right);
    sops_key = right == 0 ? key : other;
    sops_key_file = right == 1 ? keys() : wrong;
    sops_key_command = "cat '" + (right == 2 ? keys() : wrong) + "'";
    test::write_file(file("user.txt"), (right == 3 ? key : other) + "\n");
    default_identity_file = file("user.txt");
    const Outcome result = decrypt();
    CHECK(result.code == 0);
    CHECK(result.out == "plain");
  }
}

TEST_CASE_FIXTURE(KeysFixture, "keys: a bad source is said and does not spoil the others") {
  sops_key = key;
  sops_key_file = file("none");
  sops_key_command = "sh -c 'echo AGE-SECRET-KEY-1QQQ; exit 3'";
  test::write_file(file("user.txt"), "hello\n");
  default_identity_file = file("user.txt");
  const Outcome result = decrypt();
  CHECK(result.code == 0);
  CHECK(has(result, "warning: SOPS_AGE_KEY_FILE: " + file("none")));
  CHECK(has(result, "warning: SOPS_AGE_KEY_CMD: sh: ended with exit status 3"));
  CHECK(has(result, "warning: " + file("user.txt") + ": line 1"));
}

TEST_CASE_FIXTURE(KeysFixture, "keys: one in the place of a path or a command is not repeated") {
  add_set(k_run);
  SUBCASE("of a file") {
    sops_key_file = key;
  }
  SUBCASE("of a file, as age-keygen writes it") {
    sops_key_file = "# created: now\n" + key + "\n";
  }
  SUBCASE("of a file, of SSH") {
    sops_key_file = "-----BEGIN OPENSSH PRIVATE KEY-----\n" + key;
  }
  SUBCASE("of a command") {
    sops_key_command = key;
  }
  const std::string name = sops_key_file.empty() ? "SOPS_AGE_KEY_CMD" : "SOPS_AGE_KEY_FILE";
  const Outcome alone = decrypt();
  CHECK(alone.code == 5);
  CHECK(has(alone, name + ": a private key itself is given there, and not where one is"));
  CHECK(has(alone, "SOPS_AGE_KEY takes the key itself"));
  CHECK(run({"drill"}).code == 5); // its log lies beside the sets that the key opens
  const std::string log = test::read_file(backups() + "/backup.log");
  CHECK(log.find(name) != std::string::npos);
  CHECK(log.find(key) == std::string::npos);
  CHECK(run({"list"}).err.find(key) == std::string::npos);
  default_identity_file = keys();
  const Outcome beside = decrypt();
  CHECK(beside.out == "plain");
  CHECK(has(beside, "warning: " + name + ": a private key itself"));
  CHECK(has(decrypt({"-i", key}), "-i: a private key itself is given there"));
}

TEST_CASE_FIXTURE(KeysFixture, "keys: a file may be called as one begins, a command may hold one") {
  sops_key_file = file("AGE-SECRET-KEY-1.txt");
  std::filesystem::copy_file(keys(), sops_key_file);
  CHECK(decrypt().out == "plain");
  sops_key_file.clear();
  sops_key_command = "echo " + key;
  CHECK(decrypt().out == "plain");
}

TEST_CASE_FIXTURE(KeysFixture,
                  "keys: where there is none, each source is named with what it gave") {
  default_identity_file = file("none.txt");
  sops_key_file = file("none");
  sops_key_command = "false";
  const Outcome result = decrypt();
  CHECK(result.code == 5);
  CHECK(has(result, "no private key: SOPS_AGE_KEY: not set; SOPS_AGE_KEY_FILE: " + file("none")));
  CHECK(has(result, "SOPS_AGE_KEY_CMD: false: ended with exit status 1"));
  CHECK(has(result, file("none.txt") + ": not there"));
  CHECK(has(result, "hint: name the file"));
}

TEST_CASE_FIXTURE(KeysFixture, "keys: who comes by sudo is told what sudo keeps from the program") {
  default_identity_file = file("none.txt");
  for (const char* user : {"", "root"}) {
    sudo_user = user;
    CHECK_FALSE(has(decrypt(), "sudo"));
  }
  sudo_user = "bob";
  const Outcome result = decrypt();
  CHECK(result.code == 5);
  CHECK(has(result, "hint: name the file with the private age key"));
  CHECK(has(result, "sudo --preserve-env=SOPS_AGE_KEY_FILE"));
  sops_key_file = file("none"); // it was passed on
  CHECK_FALSE(has(decrypt(), "sudo"));
}

TEST_CASE_FIXTURE(KeysFixture, "keys: the path of a file in SOPS_AGE_KEY is told from a key") {
  for (const char* path : {"/home/bob/.config/sops/age/keys.txt", "~/keys.txt\n", "./keys.txt"}) {
    sops_key = path;
    const Outcome result = decrypt();
    CHECK(result.code == 5);
    CHECK(has(result, "SOPS_AGE_KEY: the path of a file is given there, and not a private key"));
    CHECK(has(result, "hint: name it in SOPS_AGE_KEY_FILE, or with -i"));
  }
}

TEST_CASE_FIXTURE(KeysFixture, "keys: where none opens it, the tried ones are named by recipient") {
  sops_key = other;
  const Outcome result = decrypt();
  CHECK(result.code == 5);
  const std::string recipient = age::Identity::parse(other).value().recipient().text();
  CHECK(has(result, "tried: SOPS_AGE_KEY: 1 key (" + recipient + ")\n"));
  CHECK(has(result, "tried: SOPS_AGE_KEY_FILE: not set\n"));

  add_set(k_run);
  for (const char* command : {"drill", "restore --artifact helm-values --to out"}) {
    std::vector<std::string> words{command};
    if (words[0] != "drill") {
      words = {"restore", "--artifact", "helm-values", "--to", file("out")};
    }
    const Outcome set = run(words);
    CHECK(set.code == 5);
    CHECK(has(set, "tried: SOPS_AGE_KEY: 1 key (" + recipient + ")\n"));
  }
  const Outcome verified = run({"verify", "-i", other_keys()});
  CHECK(verified.code == 5);
  CHECK(has(verified, "tried: " + other_keys() + ": 1 key (age1"));
}

TEST_CASE_FIXTURE(KeysFixture, "keys: -i stands alone; the environment adds nothing to it") {
  sops_key = key;
  default_identity_file = keys();
  CHECK(decrypt({"-i", other_keys()}).code == 5);
  CHECK(decrypt({"-i", file("none")}).code == 5);
  CHECK(decrypt({"-i", keys()}).out == "plain");
}

TEST_CASE_FIXTURE(KeysFixture, "keys: -i - is standard input, as to age") {
  const int before = ::dup(STDIN_FILENO);
  REQUIRE(before >= 0);
  const Fd piped = open_file(keys(), O_RDONLY).value();
  REQUIRE(::dup2(piped.get(), STDIN_FILENO) == STDIN_FILENO);
  const Outcome result = decrypt({"-i", "-"});
  const Outcome both = run({"decrypt", "-i", "-", "-o", "-", "-"});
  ::dup2(before, STDIN_FILENO);
  ::close(before);
  INFO(result.err);
  CHECK(result.code == 0);
  CHECK(result.out == "plain");
  CHECK(both.code == 2);
  CHECK(has(both, "standard input cannot be the file and the keys, too"));
}

TEST_CASE_FIXTURE(KeysFixture,
                  "keys: every command that opens sets takes them from the environment") {
  add_set(k_run);
  sops_key = key;
  CHECK(run({"drill"}).code == 0);
  CHECK(run({"restore", "--artifact", "kubeconfig", "--to", file("out")}).code == 0);
  const Outcome guide = run({"restore", "--data-dir", file("k3s")});
  INFO(guide.err);
  CHECK(guide.code == 0);
  // No file to name: the same environment finds it again; age itself needs one.
  CHECK(guide.out.find("restore " + std::string(k_run) + " --execute --backup-dir") !=
        std::string::npos);
  CHECK(guide.out.find("age -d -i keys.txt") != std::string::npos);
}

TEST_CASE_FIXTURE(KeysFixture, "the commands of the guide have the options that were asked for") {
  add_set(k_run);
  sops_key = key;
  const Outcome guide = run({"restore",
                             "--data-dir",
                             file("k3s"),
                             "--replace-cluster",
                             "--single-server",
                             "--set-interface",
                             "eth0=eth1"});
  INFO(guide.err);
  CHECK(guide.out.find("--execute --backup-dir " + backups() +
                       " --single-server --replace-cluster --set-interface eth0=eth1 --data-dir " +
                       file("k3s") + "\n") != std::string::npos);
  const Outcome more = run({"--public-key",
                            signing_key().public_key().line(),
                            "restore",
                            "--k3s",
                            "/opt/my bin/k3s",
                            "--start-command",
                            "/usr/bin/sv up k3s",
                            "--stop-command",
                            "/usr/bin/sv stop k3s",
                            "--status-command",
                            "/usr/bin/pgrep k3s"});
  INFO(more.err);
  CHECK(more.out.find("--k3s '/opt/my bin/k3s' --start-command '/usr/bin/sv up k3s' --stop-command "
                      "'/usr/bin/sv stop k3s' --status-command '/usr/bin/pgrep k3s' --public-key " +
                      signing_key().public_key().line() + "\n") != std::string::npos);
}

TEST_CASE_FIXTURE(KeysFixture, "keys: verify without -i opens nothing, and asks and runs nothing") {
  add_set(k_run);
  sops_key_command = "touch " + file("ran");
  default_identity_file = locked(key, "p");
  passphrases = {"p"};
  CHECK(run({"verify"}).code == 0);
  CHECK(questions.empty());
  CHECK_FALSE(std::filesystem::exists(file("ran")));
}

TEST_CASE_FIXTURE(KeysFixture,
                  "keys: a file that a passphrase protects is opened on the terminal") {
  default_identity_file = locked("# comment\n" + key + "\n", "correct horse");
  passphrases = {"correct horse"};
  const Outcome result = decrypt();
  CHECK(result.out == "plain");
  CHECK(questions == std::vector<std::string>{"Passphrase for " + default_identity_file + ": "});
  CHECK_FALSE(has(result, "correct horse"));

  passphrases = {"correct horse"};
  CHECK(decrypt({"-i", default_identity_file}).out == "plain");
}

TEST_CASE_FIXTURE(KeysFixture, "keys: a wrong passphrase is asked for again, three times in all") {
  const std::string path = locked(key, "right");
  passphrases = {"wrong", "right"};
  const Outcome second = decrypt({"-i", path});
  CHECK(second.code == 0);
  CHECK(has(second, "warning: " + path + ": wrong passphrase"));

  passphrases = {"a", "b", "c", "right"};
  questions.clear();
  const Outcome third = decrypt({"-i", path});
  CHECK(third.code == 5);
  CHECK(questions.size() == 3);
  CHECK(has(third, path + ": wrong passphrase"));
}

TEST_CASE_FIXTURE(KeysFixture,
                  "keys: without a terminal a protected file is an error that says so") {
  const std::string path = locked(key, "right");
  const Outcome result = decrypt({"-i", path});
  CHECK(result.code == 5);
  CHECK(has(result, path + ": protected by a passphrase, and there is no terminal"));
  CHECK(has(result, "hint: run it on a terminal"));
}

TEST_CASE_FIXTURE(KeysFixture, "keys: a file that is encrypted to a key asks for no passphrase") {
  test::write_file(file("sealed.txt"), encrypt(key + "\n"));
  passphrases = {"p"};
  const Outcome named = decrypt({"-i", file("sealed.txt")});
  CHECK(named.code == 5);
  CHECK(has(named, file("sealed.txt") + ": encrypted, but to another key"));
  CHECK(has(named, "hint: let age open it"));
  CHECK_FALSE(has(named, "wrong passphrase"));
  CHECK(questions.empty());
  // Beside another key it is a warning.
  sops_key = key;
  default_identity_file = file("sealed.txt");
  const Outcome beside = decrypt();
  CHECK(beside.out == "plain");
  CHECK(has(beside, "warning: " + file("sealed.txt") + ": encrypted, but to another key"));
}

TEST_CASE_FIXTURE(KeysFixture, "keys: a protected file that is skipped does not spoil the others") {
  sops_key = key;
  default_identity_file = locked(other, "p");
  passphrases = {""};
  const Outcome result = decrypt();
  CHECK(result.out == "plain");
  CHECK(has(result, "no passphrase was given"));
}

TEST_CASE_FIXTURE(KeysFixture, "keys: a protected file that is damaged is no wrong passphrase") {
  std::string text = test::protect(key, "p");
  text.back() = static_cast<char>(text.back() ^ 1);
  test::write_file(file("locked.txt"), text);
  passphrases = {"p"};
  const Outcome result = decrypt({"-i", file("locked.txt")});
  CHECK(result.code == 5);
  CHECK_FALSE(has(result, "wrong passphrase"));
  CHECK(questions.size() == 1);
}

TEST_CASE_FIXTURE(KeysFixture,
                  "keys: the pinned public key counts wherever the private key comes from") {
  add_set(k_run);
  host_public_key.clear();
  const std::string pin =
      "# railiance-backup public key: " + signing_key().public_key().line() + "\n";
  const auto is_pinned = [this] {
    const Outcome result = run({"drill"});
    return result.code == 0 && !has(result, "first use");
  };
  sops_key = key;
  CHECK_FALSE(is_pinned());
  sops_key = pin + key;
  CHECK(is_pinned());
  sops_key = "    " + pin + "    " + key + " \n";
  CHECK(is_pinned());
  sops_key.clear();
  default_identity_file = locked(pin + key + "\n", "p");
  passphrases = {"p"};
  CHECK(is_pinned());
}

TEST_CASE("take_key_environment: SOPS_AGE_KEY is gone for every program that is started") {
  REQUIRE(::setenv("SOPS_AGE_KEY", "AGE-SECRET-KEY-1XXX", 1) == 0);
  REQUIRE(::setenv("SOPS_AGE_KEY_FILE", "/a", 1) == 0);
  const char* const bytes = std::getenv("SOPS_AGE_KEY");
  const auto environment = restore::take_key_environment();
  CHECK(environment.keys.text() == "AGE-SECRET-KEY-1XXX");
  CHECK(environment.key_file == "/a");
  CHECK(std::getenv("SOPS_AGE_KEY") == nullptr);
  CHECK(bytes[0] == '\0');
  bool others = false;
  for (const std::string& entry : environment.all) {
    CHECK_FALSE(entry.starts_with("SOPS_AGE_KEY="));
    others = others || entry == "SOPS_AGE_KEY_FILE=/a";
  }
  CHECK(others);
  ::unsetenv("SOPS_AGE_KEY_FILE");
}

TEST_CASE("take_key_environment: the user's file is where SOPS has it") {
  const auto with = [](const char* config, const char* home) {
    config == nullptr ? ::unsetenv("XDG_CONFIG_HOME") : ::setenv("XDG_CONFIG_HOME", config, 1);
    home == nullptr ? ::unsetenv("HOME") : ::setenv("HOME", home, 1);
    return restore::take_key_environment();
  };
  const char* const before = std::getenv("HOME");
  const std::string home = before == nullptr ? "/root" : before;
  CHECK(with("/c", "/h").user_file == "/c/sops/age/keys.txt");
  CHECK(with("/c", "/h").no_user_file.empty());
  CHECK(with("c", "/h").user_file.empty());
  CHECK(with("c", "/h").no_user_file.find("XDG_CONFIG_HOME is a relative path (c)") !=
        std::string::npos);
  CHECK(with(nullptr, "/h").user_file == "/h/.config/sops/age/keys.txt");
  CHECK(with(nullptr, nullptr).user_file.empty());
  CHECK(with(nullptr, nullptr).no_user_file.find("there is no HOME") != std::string::npos);
  ::setenv("HOME", home.c_str(), 1);
}
