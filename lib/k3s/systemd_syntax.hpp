// The syntax of systemd's units and environment files. Source: systemd.syntax(7), systemd.exec(5),
// systemd.service(5).
#pragma once

#include "k3s/shell.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace rb::k3s {

struct UnitLine {
  std::string key;
  std::string value;
};

/// The lines of [Service]: comments are gone, continued lines are one.
[[nodiscard]] std::vector<UnitLine> service_lines(std::string_view text);

/// The variables of an environment file: quotes, comments, continued lines.
[[nodiscard]] Variables environment_of_file(std::string_view text);

/// Words as systemd splits them: quotes, C's escapes.
[[nodiscard]] std::vector<std::string> unit_words(std::string_view line);

/// Where systemd puts the credentials of a unit of the system: "%d", $CREDENTIALS_DIRECTORY.
[[nodiscard]] std::string credentials_directory(const std::string& unit);

/// "%N" and its like, as far as they are known for a service. `host_name` may be empty: then "%H"
/// stays.
[[nodiscard]] std::string
without_specifiers(std::string_view text, const std::string& unit, const std::string& host_name);

/// The words of a command line, its variables filled in: "$A" alone makes several words, "${A}" is
/// part of one.
[[nodiscard]] std::vector<std::string> command_words(std::string_view line,
                                                     const Variables& environment);

} // namespace rb::k3s
