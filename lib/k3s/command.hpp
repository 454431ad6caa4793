// The program k3s, called: what every call has, its version, `k3s kubectl` until the API of a
// server answers, and `k3s server --cluster-reset --cluster-reset-restore-path=` with its outcome.
// Source of the rules: what k3s does and says, docs/restore.md names the traps.
#pragma once

#include "k3s/server_settings.hpp"

#include "base/clock.hpp"
#include "base/process.hpp"

#include <array>
#include <chrono>
#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace rb::k3s {

/// Where the program lies, where nobody says it.
inline constexpr std::array<const char*, 4> k_usual_programs{
    "/usr/local/bin/k3s", "/opt/bin/k3s", "/usr/bin/k3s", "/usr/sbin/k3s"};

/// Nothing is inherited: no K3S_*, proxy or cloud variable of the caller may reach k3s.
[[nodiscard]] std::map<std::string, std::string> clean_environment();

/// The same for a command that k3s carries out by its own programs (all but `--version`): it
/// unpacks them, some 200 MB, to where it believes its data directory is, and looks for that in its
/// environment, its arguments and config.yaml, but in no unit. `data_dir`: absolute.
[[nodiscard]] std::map<std::string, std::string> environment_in(const std::string& data_dir);

/// "v1.34.4+k3s1" of "k3s version v1.34.4+k3s1 (abcdef)"; empty where it is not that.
[[nodiscard]] std::string version_in(std::string_view output);

/// What `k3s --version` says; empty when it cannot be had.
[[nodiscard]] std::string
ask_version(ProcessRunner& processes, const std::string& program, std::stop_token stop = {});

struct Kubectl {
  std::string program;    ///< k3s, absolute path.
  std::string kubeconfig; ///< Absolute path of the admin kubeconfig; read anew by each call.
  std::string data_dir;   ///< Of the server on this host.
  std::map<std::string, std::string> environment = {}; ///< All of it; empty: environment_in().
};

/// `k3s kubectl --kubeconfig=… ARGUMENTS`.
[[nodiscard]] ProcessSpec kubectl_spec(const Kubectl& kubectl,
                                       std::vector<std::string> arguments,
                                       std::chrono::seconds timeout = std::chrono::seconds(15));

struct ReadyWait {
  std::chrono::seconds timeout{300};
  std::chrono::milliseconds interval{500};
  /// Asked between two tries; its error ends the wait (a server that has ended). May be empty.
  std::function<Status()> alive = {};
};

/// Until /readyz says ok, through the kubeconfig as it is at that moment: a server that starts
/// writes it anew. Returns how long it took. Errors: timeout (with what kubectl said last),
/// cancelled, that of `alive`, those of ProcessRunner::run.
[[nodiscard]] Result<std::chrono::milliseconds> wait_until_ready(ProcessRunner& processes,
                                                                 const Clock& clock,
                                                                 Waiter& waiter,
                                                                 const Kubectl& kubectl,
                                                                 const ReadyWait& wait,
                                                                 std::stop_token stop);

struct ResetOrder {
  std::string program;              ///< Absolute path of k3s.
  std::string data_dir;             ///< Absolute.
  std::string snapshot_path;        ///< Absolute, a plain (unzipped) file.
  std::vector<std::string> carried; ///< "--flag=value", what only the unit knows; no secrets.
  std::string_view token;           ///< Goes into the environment; empty where server/token is.
  std::chrono::seconds timeout{600};
};

/// "--flag=value": what of a server's settings no configuration file says and a reset must know,
/// too; never a token. A value that only its start finds out (`--node-ip=$(…)` of a script) is of
/// `then`, the settings of the same server while it ran, or left out.
[[nodiscard]] std::vector<std::string> carried_flags(const ServerSettings& settings,
                                                     const ServerSettings& then = {});

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

/// k3s names the database that it moves aside by the second (`etcd-old-<unix>`), and ends with
/// nothing changed where one has that name: the next second is free.
[[nodiscard]] bool old_name_was_taken(const ProcessResult& result);

} // namespace rb::k3s
