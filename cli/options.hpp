// The command line of railiance-backup as a value.
#pragma once

#include "cli/io.hpp"

#include "api/artifact_type.hpp"
#include "api/verification.hpp"
#include "base/result.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
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

} // namespace rb::cli
