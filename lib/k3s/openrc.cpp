// Source: OpenRC, openrc-run: conf.d is sourced, then the script; `command_args` is evaluated once
// more when the command is started.
#include "k3s/service.hpp"

#include <algorithm>

namespace rb::k3s {

namespace {

constexpr const char* k_scripts = "/etc/init.d";
constexpr const char* k_settings = "/etc/conf.d/";

std::string variable(const Shell& shell, const char* name) {
  const auto found = shell.variables.find(name);
  return found == shell.variables.end() ? std::string() : found->second;
}

/// "--env NAME=VALUE", "-e NAME=VALUE" of what starts the daemon.
void add_environment_of(const std::string& options, Service& service) {
  Shell plain;
  for (const ShellCommand& command : read_shell("options " + options, plain)) {
    for (std::size_t i = 1; i < command.words.size(); ++i) {
      const bool names = command.words[i - 1] == "--env" || command.words[i - 1] == "-e";
      const std::size_t equals = command.words[i].find('=');
      if (names && equals != std::string::npos) {
        service.environment[command.words[i].substr(0, equals)] =
            command.words[i].substr(equals + 1);
      }
    }
  }
}

std::optional<Service> read_script(const HostFiles& files, const std::string& name) {
  const std::string path = std::string(k_scripts) + "/" + name;
  const auto script = files.read(path);
  if (!script || !script->starts_with("#!")) {
    return std::nullopt;
  }
  Service service;
  service.name = name;
  service.place = path;
  service.files = {path};
  Shell shell;
  shell.variables = {{"RC_SVCNAME", name}, {"SVCNAME", name}};
  shell.source = [&](const std::string& sourced) {
    auto text = files.read(sourced);
    if (text) {
      service.files.push_back(sourced);
    }
    return text;
  };
  if (const auto text = files.read(k_settings + name)) {
    service.files.push_back(k_settings + name);
    static_cast<void>(read_shell(*text, shell));
  }
  const bool has_start = find_in_script(*script, shell, service);
  std::string command = variable(shell, "command") + " " + variable(shell, "command_args") + " " +
                        variable(shell, "command_args_foreground");
  std::ranges::replace(command, '\n', ' '); // its words are joined before they are evaluated
  if (!find_in_script(command, shell, service) && !has_start) {
    return std::nullopt;
  }
  add_environment_of(variable(shell, "supervise_daemon_args"), service);
  add_environment_of(variable(shell, "start_stop_daemon_args"), service);
  for (const auto& entry : service.environment) {
    service.variable_places[entry.first] = path;
  }
  return service;
}

} // namespace

std::optional<Service> find_openrc_service(const HostFiles& files) {
  std::vector<std::string> names = files.list(k_scripts);
  std::ranges::stable_partition(names, [](const std::string& name) { return name == "k3s"; });
  for (const std::string& name : names) {
    if (auto service = read_script(files, name)) {
      return service;
    }
  }
  return std::nullopt;
}

} // namespace rb::k3s
