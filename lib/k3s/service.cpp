#include "k3s/service.hpp"

#include "k3s/lines.hpp"

#include <algorithm>

namespace rb::k3s {

namespace {

/// "k3s", and what operators make of it: "k3s-v1.34", but not k3s-agent or k3s-killall.sh.
bool is_k3s(std::string_view word) {
  const std::string_view name = base_name(word);
  return name == "k3s" || name.starts_with("k3s-v") || name == "k3s-server";
}

constexpr const char* k_scripts = "/etc/init.d";
constexpr const char* k_settings = "/etc/conf.d/";

/// "--env NAME=VALUE", "-e NAME=VALUE" of what starts the daemon.
void add_environment_of(const std::string& options, Service& service) {
  Shell plain;
  for (const ShellCommand& command : read_shell("options " + options, plain)) {
    for (std::size_t i = 1; i < command.words.size(); ++i) {
      if (command.words[i - 1] == "--env" || command.words[i - 1] == "-e") {
        service.assign(command.words[i], service.place);
      }
    }
  }
}

/// Source: OpenRC, openrc-run: conf.d is sourced, then the script; `command_args` is evaluated once
/// more when the command is started.
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
  read_sourced(shell, files, service);
  if (const auto text = files.read(k_settings + name)) {
    service.files.push_back(k_settings + name);
    static_cast<void>(read_shell(*text, shell));
  }
  const bool has_start = find_in_script(*script, shell, service);
  std::string command = value_of(shell.variables, "command") + " " +
                        value_of(shell.variables, "command_args") + " " +
                        value_of(shell.variables, "command_args_foreground");
  std::ranges::replace(command, '\n', ' '); // its words are joined before they are evaluated
  if (!find_in_script(command, shell, service) && !has_start) {
    return std::nullopt;
  }
  add_environment_of(value_of(shell.variables, "supervise_daemon_args"), service);
  add_environment_of(value_of(shell.variables, "start_stop_daemon_args"), service);
  return service;
}

} // namespace

void Service::set_variable(const std::string& variable,
                           std::string value,
                           const std::string& from) {
  environment[variable] = std::move(value);
  variable_places[variable] = from;
}

void Service::assign(std::string_view word, const std::string& from) {
  if (const std::size_t equals = word.find('='); equals != std::string_view::npos) {
    set_variable(std::string(word.substr(0, equals)), std::string(word.substr(equals + 1)), from);
  }
}

std::optional<std::vector<std::string>> server_arguments(const std::vector<std::string>& words) {
  const auto program = std::ranges::find_if(words, is_k3s);
  if (program == words.end()) {
    return std::nullopt;
  }
  const auto command = std::find_if(
      program + 1, words.end(), [](const std::string& word) { return !word.starts_with('-'); });
  if (command != words.end() && *command == "server") {
    std::vector<std::string> arguments(program + 1, command); // "k3s --debug server"
    std::erase(arguments, "--");
    arguments.insert(arguments.end(), command + 1, words.end());
    return arguments;
  }
  if (base_name(*program) == "k3s-server") {
    return std::vector<std::string>(program + 1, words.end());
  }
  return std::nullopt;
}

std::string server_program(const std::vector<std::string>& words) {
  const auto program = std::ranges::find_if(words, is_k3s);
  const bool whole = program != words.end() && program->starts_with('/');
  // k3s's second program is started by the first, which knows all commands.
  return whole && base_name(*program) != "k3s-server" ? *program : std::string();
}

void read_sourced(Shell& shell, const HostFiles& files, Service& service) {
  shell.source = [&](const std::string& path) {
    auto text = files.read(path);
    if (text) {
      service.files.push_back(path);
    }
    return text;
  };
}

bool find_in_script(std::string_view script, Shell& shell, Service& service) {
  const std::vector<ShellCommand> commands = read_shell(script, shell);
  for (const ShellCommand& command : commands) {
    if (auto arguments = server_arguments(command.words)) {
      service.program = server_program(command.words);
      service.arguments = std::move(*arguments);
      for (const std::string& name : shell.exported) {
        if (const auto value = shell.variables.find(name); value != shell.variables.end()) {
          service.environment[name] = value->second;
        }
      }
      for (const auto& [name, value] : command.assignments) {
        service.environment[name] = value;
      }
      return true;
    }
  }
  return false;
}

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
