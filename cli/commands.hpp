// The whole program but for what only a process can do (main.cpp): the command line as a value, and
// the commands, each from its options to its exit code.
#pragma once

#include "cli/io.hpp"
#include "status/upgrade.hpp"

#include "api/artifacts.hpp"
#include "api/backup.hpp"
#include "base/result.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace rb::cli {

enum class OutputFormat { text, json, name };

struct CreateCommand {
  std::string name; ///< Empty: manual-<time>.
  bool wait = false;
  bool attach = false; ///< A ClusterBackup of that name may be there already: take it as ours.
  /// Whoever asks again with this gets the same ClusterBackup; a name that another one has gets a
  /// number. Empty: each call is a request of its own.
  std::string request_id;
  std::vector<api::ArtifactType> artifacts; ///< Empty: all.
  std::optional<std::int32_t> keep_last;    ///< Absent: what the cluster is configured to keep.
  bool scheduled = false;
  std::chrono::seconds deadline{3600};
  std::string node;
  api::Servers servers = api::Servers::all;
  std::optional<std::chrono::seconds> ttl;
  api::Verification verification = api::Verification::snapshot;
  std::optional<std::chrono::seconds> timeout; ///< Of the wait.
};
/// Who can read the backups by a .sops.yaml; asks no cluster.
struct RecipientsCommand {
  std::string file;
};
/// On a k3s server. What is absent stays as it is there; the first time as the package has it.
struct InstallCommand {
  std::string sops; ///< The file with the recipients; empty: as install finds them.
  std::string from; ///< The package's directory; empty: where packages are.
  std::string k3s;  ///< The program; empty: where it usually is.
  std::optional<std::string> backup_dir;
  std::optional<std::int32_t> keep_last;
  std::optional<std::string> schedule;
  std::optional<std::string> time_zone;
  bool dry_run = false;
  bool print = false; ///< The manifests, and nothing else.
  std::chrono::seconds timeout{180};
};
struct UninstallCommand {
  std::string from;
  std::string k3s;
  std::chrono::seconds timeout{120};
};
/// May an upgrade begin? Without a set that will do, `backup` makes one first.
struct GuardCommand {
  status::GuardRules rules;
  bool backup = false;
};
struct ListCommand {};
struct StatusCommand {};
/// A test message to each receiver of notices.
struct NotifyTestCommand {};
struct ShowCommand {
  std::string name;
};
struct CompletionCommand {
  std::string shell;
};
/// --help and --version: text to print, and done.
struct PrintCommand {
  std::string text;
};

using Command = std::variant<CreateCommand,
                             ListCommand,
                             ShowCommand,
                             StatusCommand,
                             GuardCommand,
                             NotifyTestCommand,
                             RecipientsCommand,
                             InstallCommand,
                             UninstallCommand,
                             CompletionCommand,
                             PrintCommand>;

struct Options {
  ClusterChoice cluster;
  OutputFormat output = OutputFormat::text;
  Command command;
};

inline constexpr std::string_view k_program = "railiance-backup";
/// The same program as a plugin of kubectl: under the name kubectl-railiance it also knows
/// `backup`, which is `create --wait`.
inline constexpr std::string_view k_plugin = "kubectl railiance";
inline constexpr std::string_view k_plugin_file = "kubectl-railiance";
/// By that name kubectl asks what may come next on its command line.
inline constexpr std::string_view k_plugin_completion_file = "kubectl_complete-railiance";

/// `args` without the program's name; `program` is k_program or k_plugin, and what the help calls
/// it. Errors: invalid_argument, with a message for the operator.
[[nodiscard]] Result<Options> parse_options(std::span<const std::string> args,
                                            std::string_view program = k_program);

/// What may stand behind `args` of the plugin, of which the last is the word that is being typed:
/// commands, or the flags of the command; each with a tab and what it is for.
[[nodiscard]] std::vector<std::string> plugin_words(std::span<const std::string> args);

/// Prints that as kubectl wants it, with the names of backups for `show`. Returns 0: what cannot
/// be had is not offered.
[[nodiscard]] int complete_for_kubectl(std::span<const std::string> args, Io& io);

/// The completion script. Precondition: bash, zsh or fish.
[[nodiscard]] std::string completion_script(std::string_view shell);

/// `args` without the program's name. Returns the exit code (lib/base/error.hpp, or 128 and the
/// signal that ended a wait). Throws nothing.
[[nodiscard]] int run(std::span<const std::string> args, Io& io);

/// What their help ends with: examples and exit codes, beside the commands themselves.
extern const char* const k_guard_footer;
extern const char* const k_install_footer;
extern const char* const k_uninstall_footer;

[[nodiscard]] int create(Api& api, const CreateCommand& command, OutputFormat output, Io& io);
[[nodiscard]] int list(Api& api, OutputFormat output, Io& io);
[[nodiscard]] int show(Api& api, const ShowCommand& command, OutputFormat output, Io& io);

[[nodiscard]] int status(Api& api, OutputFormat output, Io& io);
[[nodiscard]] int guard(Api& api, const GuardCommand& command, OutputFormat output, Io& io);
[[nodiscard]] int notify_test(Api& api, OutputFormat output, Io& io);

/// Needs no cluster.
[[nodiscard]] int recipients(const RecipientsCommand& command, OutputFormat output, Io& io);

/// `cluster`: the server's own where it names none.
[[nodiscard]] int install(const InstallCommand& command, const ClusterChoice& cluster, Io& io);
[[nodiscard]] int uninstall(const UninstallCommand& command, const ClusterChoice& cluster, Io& io);

} // namespace rb::cli
