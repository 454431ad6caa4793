// How `k3s server --cluster-reset --cluster-reset-restore-path=` is called, and how its outcome is
// read. Source of the rules: what k3s does and says, docs/restore.md names the traps.
#pragma once

#include "k3s/settings.hpp"

#include "base/process.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace rb::k3s {

struct ResetOrder {
  std::string program;              ///< Absolute path of k3s.
  std::string data_dir;             ///< Absolute.
  std::string snapshot_path;        ///< Absolute, a plain (unzipped) file.
  std::vector<std::string> carried; ///< "--flag=value", what only the unit knows; no secrets.
  std::string_view token;           ///< Goes into the environment; empty where server/token is.
  std::chrono::seconds timeout{600};
};

/// "--flag=value": what of a server's settings no configuration file says and a reset must know,
/// too; never a token.
[[nodiscard]] std::vector<std::string> carried_flags(const ServerSettings& settings);

/// Errors: invalid_argument for a path that k3s would look for elsewhere: a relative one (it
/// resolves below <data-dir>/server), or a .zip (looked for in the snapshot directory). The
/// environment holds the token: give the spec to wipe_token() after the run.
[[nodiscard]] Result<ProcessSpec> reset_spec(const ResetOrder& order);

/// Overwrites and drops what reset_spec() put into the environment.
void wipe_token(ProcessSpec& spec);

/// Success: exit status 0 and k3s's own last word, in the form of any release.
/// Errors: timeout, invalid_argument (a token that does not open the snapshot, a server URL in the
/// configuration), corrupt (the snapshot), io (all else), with k3s's last line in the message.
[[nodiscard]] Status judge_reset(const ProcessResult& result);

} // namespace rb::k3s
