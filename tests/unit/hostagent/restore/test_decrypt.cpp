#include "support/backup_fixture.hpp"
#include "support/sets.hpp"

#include <doctest/doctest.h>

#include <filesystem>

using namespace rb;
using test::BackupFixture;

namespace {

struct DecryptFixture : BackupFixture {
  std::string plain = test::plaintext_of(api::ArtifactType::datastore);
  std::string in = file("in.age");
  std::string out = file("out");

  DecryptFixture() { test::write_file(in, encrypt(plain)); }

  test::Outcome decrypt(const std::string& keys_file) {
    return run({"decrypt", "-i", keys_file, "-o", out, in});
  }

  /// Nothing is left: neither OUT nor a part of it.
  bool nothing_left() {
    for (const auto& entry : std::filesystem::directory_iterator(file(""))) {
      const std::string name = entry.path().filename();
      if (name != "in.age" && name != "keys.txt" && name != "other.txt" && name != "backups" &&
          name != "signing.pub") {
        return false;
      }
    }
    return true;
  }
};

} // namespace

TEST_CASE_FIXTURE(DecryptFixture, "decrypt: the whole file, mode 0600") {
  const auto result = decrypt(keys());
  INFO(result.err);
  CHECK(result.code == 0);
  CHECK(test::read_file(out) == plain);
  CHECK(test::mode_of(out) == "600");
}

TEST_CASE_FIXTURE(DecryptFixture, "decrypt: never replaces a file unless it is told to") {
  test::write_file(out, "precious");
  const auto result = decrypt(keys());
  CHECK(result.code == 1);
  CHECK(result.err == "railiance-restore: " + out +
                          ": exists\nhint: choose another name, or replace it with --force\n");
  CHECK(test::read_file(out) == "precious");
  CHECK(run({"decrypt", "--force", "-i", keys(), "-o", out, in}).code == 0);
  CHECK(test::read_file(out) == plain);
  CHECK(test::mode_of(out) == "600");
}

TEST_CASE_FIXTURE(DecryptFixture,
                  "decrypt --force: what was there stays when the file is damaged") {
  test::write_file(out, "precious");
  std::string bad = test::read_file(in);
  bad.back() = static_cast<char>(bad.back() ^ 1);
  test::write_file(in, bad);
  CHECK(run({"decrypt", "--force", "-i", keys(), "-o", out, in}).code == 6);
  CHECK(test::read_file(out) == "precious");
}

TEST_CASE_FIXTURE(DecryptFixture, "decrypt: a wrong identity is exit code 5, and leaves nothing") {
  const auto result = decrypt(other_keys());
  CHECK(result.code == 5);
  CHECK(result.err.starts_with("railiance-restore: " + in + ": "));
  CHECK(result.err.find("hint: ") != std::string::npos);
  CHECK(nothing_left());
}

TEST_CASE_FIXTURE(DecryptFixture, "decrypt: damage anywhere is exit code 6, and leaves nothing") {
  const std::string good = test::read_file(in);
  std::vector<std::string> bad{good.substr(0, good.size() - 1),
                               good.substr(0, good.size() / 2),
                               good.substr(0, 10),
                               good + "x",
                               "",
                               "hello world\n"};
  for (const std::size_t at : {0UL, 20UL, good.size() / 2, good.size() - 1}) {
    bad.push_back(good);
    bad.back()[at] = static_cast<char>(bad.back()[at] ^ 2);
  }
  for (const std::string& content : bad) {
    CAPTURE(content.size());
    test::write_file(in, content);
    const auto result = decrypt(keys());
    INFO(result.err);
    CHECK(result.code == 6);
    CHECK(nothing_left());
  }
}

TEST_CASE_FIXTURE(DecryptFixture, "decrypt: from standard input to a pipe") {
  const auto result = run({"decrypt", "-i", keys(), "-o", "-", "-"}, test::read_file(in));
  CHECK(result.code == 0);
  CHECK(result.out == plain);
  const auto damaged = run({"decrypt", "-i", keys(), "-o", "-", "-"}, test::read_file(in) + "x");
  CHECK(damaged.code == 6);
  CHECK(damaged.err.starts_with("railiance-restore: standard input: "));
}

TEST_CASE_FIXTURE(DecryptFixture, "decrypt: no secrets on a terminal") {
  out_is_terminal = true;
  const auto result = run({"decrypt", "-i", keys(), "-o", "-", in});
  CHECK(result.code == 2);
  CHECK(result.out.empty());
  CHECK(result.err.find("will not print secrets on a terminal") != std::string::npos);
}

TEST_CASE_FIXTURE(DecryptFixture, "decrypt: armored files, too") {
  const std::string sealed = encrypt("small secret");
  const std::string base64 = to_base64(as_bytes(sealed));
  std::string armor = "-----BEGIN AGE ENCRYPTED FILE-----\n";
  for (std::size_t at = 0; at < base64.size(); at += 64) {
    armor += base64.substr(at, 64) + "\n";
  }
  test::write_file(in, armor + "-----END AGE ENCRYPTED FILE-----\n");
  CHECK(decrypt(keys()).code == 0);
  CHECK(test::read_file(out) == "small secret");
}

TEST_CASE_FIXTURE(DecryptFixture, "decrypt: files and directories that are not there") {
  CHECK(run({"decrypt", "-i", keys(), "-o", out, file("none")}).code == 1);
  CHECK(decrypt(file("none")).code == 5);
  CHECK(run({"decrypt", "-i", keys(), "-o", file("none/out"), in}).code == 1);
  CHECK(run({"decrypt", "-i", keys(), "-o", file("backups"), in}).code == 1);
  CHECK(nothing_left());
}

TEST_CASE_FIXTURE(DecryptFixture, "decrypt: a skipped identity is said, not printed") {
  test::write_file(file("keys.txt"),
                   test::read_file(keys()) + "AGE-PLUGIN-YUBIKEY-1QQPSSECRETXXXXX\n");
  const auto result = decrypt(keys());
  CHECK(result.code == 0);
  CHECK(result.err.find("warning: ") != std::string::npos);
  CHECK(result.err.find("SECRETXXXXX") == std::string::npos);
}
