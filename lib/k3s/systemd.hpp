// systemd's units: where they lie, which of several counts, which instances of a template there are
// (systemd_units.cpp), and their syntax and that of environment files (systemd_syntax.cpp).
// Source: systemd.unit(5), systemd.syntax(7), systemd.exec(5), systemd.service(5). Private to this
// room.
#pragma once

#include "k3s/host_files.hpp"
#include "k3s/shell.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rb::k3s {

struct UnitFile {
  std::string path;
  std::string text;
};

/// Of `unit` ("k3s", "k3s@server"): its own file, else that of its template. Nothing also where it
/// is masked: the first that is there counts, and that is no file (a link to /dev/null).
[[nodiscard]] std::optional<UnitFile> unit_file(const HostFiles& files, const std::string& unit);

/// In the order of their names, wherever they are; of one name, that of the first directory.
[[nodiscard]] std::vector<UnitFile> drop_ins(const HostFiles& files, const std::string& unit);

/// A service, without ".service".
struct UnitName {
  std::string name;
  std::string link; ///< Of an instance: what enables it, "…/multi-user.target.wants/k3s@a.service".

  /// "k3s@", which is started by its instances only.
  [[nodiscard]] bool is_template() const { return name.ends_with('@'); }
};

/// Units that a package may have laid down where a container does not see it, and of which /etc may
/// say more: those with drop-ins first, k3s's own name last. None where all units are seen.
[[nodiscard]] std::vector<std::string> hidden_units(const HostFiles& files);

/// What stands for such a unit: that of k3s's install script, which packages have as it is.
[[nodiscard]] std::string_view text_of_hidden(const std::string& unit);

/// All there are. An instance has no file of its own: a link that enables it, or a directory of
/// drop-ins, names it. k3s's own names go first, and an instance that is enabled before others: a
/// host has hundreds of units.
[[nodiscard]] std::vector<UnitName> unit_names(const HostFiles& files);

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
