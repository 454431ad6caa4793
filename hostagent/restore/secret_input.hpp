// Secrets that come to this process from outside of files: the environment's private keys, as SOPS
// reads it (age/keysource.go of SOPS 3.13), the program that prints keys, the operator's terminal.
#pragma once

#include "base/result.hpp"
#include "base/secret_bytes.hpp"

#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

namespace rb::restore {

struct KeyEnvironment {
  SecretBytes keys = {};             ///< SOPS_AGE_KEY: the keys themselves.
  std::string key_file = {};         ///< SOPS_AGE_KEY_FILE.
  std::string key_command = {};      ///< SOPS_AGE_KEY_CMD.
  std::string user_file = {};        ///< sops/age/keys.txt of this user; empty: unknown.
  std::string no_user_file = {};     ///< Why it is unknown.
  std::string ssh_key_file = {};     ///< SOPS_AGE_SSH_PRIVATE_KEY_FILE.
  std::string ssh_key_command = {};  ///< SOPS_AGE_SSH_PRIVATE_KEY_CMD.
  std::string user_ssh_key = {};     ///< .ssh/id_ed25519 of this user; empty: unknown.
  std::vector<std::string> all = {}; ///< "NAME=value" of all variables but SOPS_AGE_KEY.
};

/// Reads the variables, and removes and wipes SOPS_AGE_KEY, so that no program that is started
/// inherits it and /proc does not show it. Call it before there is a second thread.
[[nodiscard]] KeyEnvironment take_key_environment();

/// SOPS_AGE_KEY_CMD and its like as SOPS splits them (google/shlex): blanks; '…' literally; "…" and
/// bare words with \ before any character; # at the beginning of a word begins a comment. Errors:
/// invalid_argument (a quote or a backslash that nothing follows, no word); the message repeats
/// nothing of `text`.
[[nodiscard]] Result<std::vector<std::string>> split_command(const std::string& text);

/// What that program prints, at most as much as an identity file may hold. It is looked for in
/// PATH, stays in our process group, so that it can ask on the terminal, and has our standard
/// error. `environment`: "NAME=value". Errors: not_found, permission_denied, io (it failed),
/// timeout, cancelled, unsupported (too much output).
[[nodiscard]] Result<SecretBytes> run_key_command(std::vector<std::string> words,
                                                  std::vector<std::string> environment,
                                                  std::stop_token stop,
                                                  std::chrono::milliseconds limit);

/// Shows `question` and reads one line without echo; the terminal is as it was when this returns,
/// also after an interrupt, which then is delivered. Errors: not_found (there is no terminal),
/// cancelled (Ctrl-C, end of file, a signal), io.
[[nodiscard]] Result<SecretBytes> ask_on_terminal(const std::string& question);

} // namespace rb::restore
