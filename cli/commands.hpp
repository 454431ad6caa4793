// The whole program but for what only a process can do (main.cpp): the command line as a value, and
// the commands, each from its options to its exit code.
#pragma once

#include "cli/io.hpp"

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
  std::vector<api::ArtifactType> artifacts; ///< Empty: all.
  std::optional<std::int32_t> keep_last;    ///< Absent: what the cluster is configured to keep.
  bool scheduled = false;
  std::chrono::seconds deadline{3600};
  std::string node;
  std::optional<std::chrono::seconds> ttl;
  api::Verification verification = api::Verification::snapshot;
  std::optional<std::chrono::seconds> timeout; ///< Of the wait.
};
/// Who can read the backups by a .sops.yaml; asks no cluster.
struct RecipientsCommand {
  std::string file;
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
                             NotifyTestCommand,
                             RecipientsCommand,
                             CompletionCommand,
                             PrintCommand>;

struct Options {
  ClusterChoice cluster;
  OutputFormat output = OutputFormat::text;
  Command command;
};

/// `args` without the program's name. Errors: invalid_argument, with a message for the operator.
[[nodiscard]] Result<Options> parse_options(std::span<const std::string> args);

/// The completion script. Precondition: bash, zsh or fish.
[[nodiscard]] std::string completion_script(std::string_view shell);

/// `args` without the program's name. Returns the exit code (lib/base/exit_code.hpp, or 128 and the
/// signal that ended a wait). Throws nothing.
[[nodiscard]] int run(std::span<const std::string> args, Io& io);

[[nodiscard]] int create(Api& api, const CreateCommand& command, OutputFormat output, Io& io);
[[nodiscard]] int list(Api& api, OutputFormat output, Io& io);
[[nodiscard]] int show(Api& api, const ShowCommand& command, OutputFormat output, Io& io);

[[nodiscard]] int status(Api& api, OutputFormat output, Io& io);
[[nodiscard]] int notify_test(Api& api, OutputFormat output, Io& io);

/// Needs no cluster.
[[nodiscard]] int recipients(const RecipientsCommand& command, OutputFormat output, Io& io);

} // namespace rb::cli
