// The command line of railiance-restore as a value.
#pragma once

#include "restore/io.hpp"
#include "restore/options_drill.hpp"
#include "restore/options_metrics.hpp"
#include "restore/options_remote.hpp"
#include "restore/options_restore.hpp"

#include "base/result.hpp"

#include <span>
#include <string>
#include <variant>
#include <vector>

namespace rb::restore {

enum class OutputFormat { text, json };

struct ListCommand {
  RemoteOptions remote; ///< Empty: the disk.
};
struct ShowCommand {
  std::string set; ///< A run id, or "latest".
};
struct VerifyCommand {
  std::string set = "latest";
  bool all = false;
  bool allow_unsigned = false;             ///< As that of `drill`.
  std::vector<std::string> identity_files; ///< Empty: without a key.
};
struct DecryptCommand {
  std::string file; ///< "-": standard input.
  std::string out;  ///< "-": standard output.
  bool force = false;
  std::vector<std::string> identity_files; ///< Empty: where SOPS looks.
};
/// --help and --version: text to print, and done.
struct PrintCommand {
  std::string text;
};

using Command = std::variant<ListCommand,
                             FetchCommand,
                             ShowCommand,
                             VerifyCommand,
                             DecryptCommand,
                             RestoreCommand,
                             DrillCommand,
                             MetricsCommand,
                             PrintCommand>;

struct Options {
  std::string backup_dir;
  OutputFormat output = OutputFormat::text;
  std::vector<std::string> public_keys; ///< Of hosts whose sets are taken; empty: found here.
  Command command;
};

/// `args` without the program's name; defaults come from `io`. Errors: invalid_argument, with a
/// message for the operator.
[[nodiscard]] Result<Options> parse_options(std::span<const std::string> args, const Io& io);

} // namespace rb::restore
