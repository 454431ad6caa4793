// The shell's language as far as services are started with it: `sh -c '…'`, OpenRC's scripts and
// conf.d, wrappers. Nothing is run: variables are filled in, quotes and comments go, conditions are
// taken as true, what a command would print is left out.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace rb::k3s {

using Variables = std::map<std::string, std::string>;

/// Empty where there is none of that name.
[[nodiscard]] std::string value_of(const Variables& variables, std::string_view name);

struct ShellCommand {
  Variables assignments; ///< "A=1 k3s server": for this command alone.
  std::vector<std::string> words;
};

struct Shell {
  Variables variables;
  std::map<std::string, std::vector<std::string>> lists; ///< bash's arrays: A=(server --x).
  std::set<std::string> exported;
  std::vector<std::string> parameters; ///< "$1" and so on: "$@" is filled in.
  bool exports_all = false;            ///< set -a
  /// Of all words and sourced files together, in bytes: what goes over it is not read.
  std::size_t budget = std::size_t{1} << 20U;
  /// Reads a file that the script sources; may be empty: then none is.
  std::function<std::optional<std::string>(const std::string& path)> source;
};

/// The simple commands of a script, in their order; `shell` is as it leaves it. Bounded: a script
/// that grows its variables without end is cut off.
[[nodiscard]] std::vector<ShellCommand> read_shell(std::string_view script, Shell& shell);

} // namespace rb::k3s
