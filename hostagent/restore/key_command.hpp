// The program of SOPS_AGE_KEY_CMD: its standard output is private keys. No shell is involved.
#pragma once

#include "base/result.hpp"
#include "base/secret_bytes.hpp"

#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

namespace rb::restore {

/// As SOPS splits it (google/shlex): blanks; '…' literally; "…" and bare words with \ before any
/// character; # at the beginning of a word begins a comment. Errors: invalid_argument (a quote or a
/// backslash that nothing follows, no word); the message repeats nothing of `text`.
[[nodiscard]] Result<std::vector<std::string>> split_command(const std::string& text);

/// What the program prints, at most as much as an identity file may hold. It is looked for in PATH,
/// stays in our process group, so that it can ask on the terminal, and has our standard error.
/// `environment`: "NAME=value". Errors: not_found, permission_denied, io (it failed), timeout,
/// cancelled, unsupported (too much output).
[[nodiscard]] Result<SecretBytes> run_key_command(std::vector<std::string> words,
                                                  std::vector<std::string> environment,
                                                  std::stop_token stop,
                                                  std::chrono::milliseconds limit);

} // namespace rb::restore
