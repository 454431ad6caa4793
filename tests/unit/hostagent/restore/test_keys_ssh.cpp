// SSH keys among the private keys.
#include "keys_fixture.hpp"

#include "age/file.hpp"
#include "base/fd.hpp"

#include <doctest/doctest.h>

using namespace rb;
using test::has;
using test::KeysFixture;
using test::Outcome;

namespace {

/// A file for the SSH key of the vectors, which lies in `pem`.
struct SshKeysFixture : KeysFixture {
  std::string pem = RB_SOURCE_DIR "/tests/unit/age/vectors/ssh-ed25519";
  std::string locked_pem = RB_SOURCE_DIR "/tests/unit/age/vectors/ssh-ed25519-passphrase";

  SshKeysFixture() {
    const age::SshIdentity identity =
        age::SshIdentity::parse(read_text_file(pem, 100'000).value()).value();
    const std::vector<age::Recipient> recipients{age::Recipient(identity.recipient)};
    const Bytes sealed = age::encrypt_bytes(as_bytes("plain"), recipients).value();
    test::write_file(in, std::string(as_text(sealed)));
  }
};

} // namespace

TEST_CASE_FIXTURE(SshKeysFixture,
                  "keys: an SSH key opens what is made for it, wherever SOPS finds it") {
  CHECK(decrypt({"-i", pem}).out == "plain");
  CHECK(decrypt().code == 5);
  user_ssh_key = pem;
  CHECK(decrypt().out == "plain");
  user_ssh_key.clear();
  ssh_key_command = "cat '" + pem + "'";
  CHECK(decrypt().out == "plain");
  ssh_key_command.clear();
  ssh_key_file = pem;
  sops_key = other;
  const Outcome joined = decrypt();
  CHECK(joined.out == "plain");
  CHECK(joined.err.empty());
}

TEST_CASE_FIXTURE(SshKeysFixture,
                  "keys: an SSH key opens what is made for its age1…, as NixOS has it") {
  const auto identity = age::SshIdentity::parse(read_text_file(pem, 100'000).value()).value();
  const std::vector<age::Recipient> recipients{age::Recipient(identity.x25519()->recipient)};
  const Bytes sealed = age::encrypt_bytes(as_bytes("plain"), recipients).value();
  test::write_file(in, std::string(as_text(sealed)));
  CHECK(decrypt({"-i", pem}).out == "plain");
  user_ssh_key = pem;
  CHECK(decrypt().out == "plain");
}

TEST_CASE_FIXTURE(SshKeysFixture,
                  "keys: an SSH key with a passphrase is refused with the way out") {
  const Outcome named = decrypt({"-i", locked_pem});
  CHECK(named.code == 5);
  CHECK(has(named, "an OpenSSH key with a passphrase is not supported"));
  CHECK(has(named, "ssh-keygen -p"));
  // The user's own, which is there for logging in, spoils nothing and is no warning.
  user_ssh_key = locked_pem;
  sops_key = key;
  test::write_file(in, encrypt("plain"));
  const Outcome beside = decrypt();
  CHECK(beside.out == "plain");
  CHECK(beside.err.empty());
  sops_key = other;
  const Outcome none = decrypt();
  CHECK(none.code == 5);
  CHECK(has(none, "tried: " + locked_pem + ": no identity that can be used"));
}

TEST_CASE_FIXTURE(SshKeysFixture, "keys: an SSH key that was named and is bad is said") {
  sops_key = key;
  ssh_key_file = file("none");
  ssh_key_command = "false";
  user_ssh_key = file("none-either");
  test::write_file(in, encrypt("plain"));
  const Outcome result = decrypt();
  CHECK(result.out == "plain");
  CHECK(has(result, "warning: SOPS_AGE_SSH_PRIVATE_KEY_FILE: " + file("none")));
  CHECK(has(result, "warning: SOPS_AGE_SSH_PRIVATE_KEY_CMD: false"));
  CHECK_FALSE(has(result, "none-either"));
}
