// The private keys of a command: of its -i, else all that SOPS looks at, joined. The one place
// where private keys are read.
#pragma once

#include "restore/io.hpp"

#include "age/identity.hpp"

#include <string>
#include <vector>

namespace rb::restore {

/// A line "# railiance-backup public key: RW…" beside private keys: the operator's own word.
struct Pin {
  std::string source; ///< Where it stands.
  std::string key;    ///< As it was written.
};

struct Keys {
  std::vector<age::Identity> identities;
  std::vector<Pin> pins;
  std::vector<std::string> account; ///< One line a source: what it gave, with public keys.
  std::string file;                 ///< The first file that gave one; empty: none did.
};

/// The keys of `files` (-i; "-" is standard input), all of which must be good; without any:
/// SOPS_AGE_KEY, SOPS_AGE_KEY_FILE, SOPS_AGE_KEY_CMD, sops/age/keys.txt,
/// SOPS_AGE_SSH_PRIVATE_KEY_FILE, SOPS_AGE_SSH_PRIVATE_KEY_CMD and .ssh/id_ed25519 together, of
/// which a bad one is said and passed over while others give keys. What is protected by a
/// passphrase is opened with io.ask_secret. What was skipped is said on io.err. Errors: those of
/// the file, or not_found with all sources and what each gave; the commands end with
/// ExitCode::no_identity then.
[[nodiscard]] Result<Keys> read_keys(const std::vector<std::string>& files, const Io& io);

/// The pins of the same places, for those that open nothing: no passphrase is asked for, no program
/// is run, and what cannot be read has none.
[[nodiscard]] std::vector<Pin> read_pins(const std::vector<std::string>& files, const Io& io);

/// Says on io.err which keys were tried: for sets that none of them opens.
void say_what_was_tried(const Keys& keys, const Io& io);

} // namespace rb::restore
