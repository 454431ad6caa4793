// The service that starts a k3s server: a unit of systemd with its drop-ins, a script of OpenRC
// with its conf.d, or one of runit. What it starts, with which arguments and environment, and which
// files say so.
#pragma once

#include "k3s/host_files.hpp"
#include "k3s/shell.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rb::k3s {

struct Service {
  std::string name;                   ///< "k3s", "k3s@server"
  std::string link;                   ///< That enables it, where it is an instance of a template.
  std::string program;                ///< k3s by its absolute path; empty: it has none.
  std::vector<std::string> arguments; ///< Behind `server`.
  std::string place;                  ///< The file that has them.
  Variables environment;
  Variables variable_places;      ///< The file that has the variable.
  std::vector<std::string> files; ///< All that were read for it, in their order.
  bool assumed = false; ///< Its unit is not to be seen: only what /etc says of it is known.

  void set_variable(const std::string& variable, std::string value, const std::string& from);
  /// "NAME=VALUE"; another word is passed over.
  void assign(std::string_view word, const std::string& from);
};

/// As systemd reads it: units of /etc, /run, /usr/local/lib, /usr/lib and /lib, drop-ins of all of
/// them, EnvironmentFile=, specifiers, `sh -c`, instances of templates. Of several that start a
/// server, "k3s" goes first. Where a package's units are hidden, one may be assumed.
[[nodiscard]] std::optional<Service> find_systemd_service(const HostFiles& files);

/// A template whose instances may start a server, "k3s@". What depends on the instance is not
/// known: only its name and files count.
[[nodiscard]] std::optional<Service> find_systemd_template(const HostFiles& files);

/// As OpenRC reads it: /etc/conf.d/NAME, then /etc/init.d/NAME.
[[nodiscard]] std::optional<Service> find_openrc_service(const HostFiles& files);

/// As runit starts it: /etc/sv/NAME/run, or /etc/runit/sv/NAME/run, which works in its directory.
[[nodiscard]] std::optional<Service> find_runit_service(const HostFiles& files);

/// What follows `server` where the words start a k3s server (and not an agent, or another command).
[[nodiscard]] std::optional<std::vector<std::string>>
server_arguments(const std::vector<std::string>& words);

/// The k3s that such words start, where they name it by an absolute path; else empty.
[[nodiscard]] std::string server_program(const std::vector<std::string>& words);

/// A file that the script sources is read from `files` and noted in `service`; both outlive
/// `shell`.
void read_sourced(Shell& shell, const HostFiles& files, Service& service);

/// Looks through a script for the command that starts a server; adds to `service` what it exports.
/// False: there is none.
[[nodiscard]] bool find_in_script(std::string_view script, Shell& shell, Service& service);

} // namespace rb::k3s
