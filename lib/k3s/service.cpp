#include "k3s/service.hpp"

#include "k3s/lines.hpp"

#include <algorithm>
#include <array>
#include <filesystem>

namespace rb::k3s {

namespace {

constexpr std::string_view k_second_program = "k3s-server";

/// "k3s", what a release calls it ("k3s-arm64"), and what operators make of it ("k3s-v1.34"), but
/// not k3s-agent or k3s-killall.sh.
bool is_k3s(std::string_view word) {
  constexpr std::array<std::string_view, 5> k_names{
      "k3s", "k3s-arm64", "k3s-armhf", "k3s-s390x", k_second_program};
  const std::string_view name = base_name(word);
  return is_among(k_names, name) || name.starts_with("k3s-v");
}

using Word = std::vector<std::string>::const_iterator;

/// Words that start a server. A wrapper may be given the name, too: "systemd-cat -t k3s
/// /usr/local/bin/k3s server".
struct Start {
  Word program;
  Word options; ///< Of k3s, before `server`.
  Word command; ///< The word `server`; `program` where that stands for it.
};

Word first_argument(Word begin, Word end) {
  return std::find_if(begin, end, [](const std::string& word) { return !word.starts_with('-'); });
}

/// The k3s at `program` is given another command: what follows are its words, whatever they say.
bool is_other_command(Word program, Word end) {
  constexpr std::array<std::string_view, 9> k_others{"agent",
                                                     "kubectl",
                                                     "crictl",
                                                     "ctr",
                                                     "check-config",
                                                     "token",
                                                     "etcd-snapshot",
                                                     "secrets-encrypt",
                                                     "certificate"};
  const Word first = first_argument(program + 1, end);
  return first != end && is_among(k_others, *first);
}

/// The word "server" that the k3s at `program` is given: as its first one that is no option, or
/// behind the "--" of what starts it ("--exec k3s --pidfile FILE -- server"). `end`: none.
Word command_of(Word program, Word end) {
  const Word next = program + 1;
  const Word first = first_argument(next, end);
  if (first != end && *first == "server") {
    return first;
  }
  if (first == next) {
    return end;
  }
  const Word dashes = std::find(next, end, "--");
  return dashes != end && dashes + 1 != end && *(dashes + 1) == "server" ? dashes + 1 : end;
}

/// Of the words from `first` to `command` that are k3s: what a daemon is told to execute, else the
/// last whole path, else the last.
Word program_of(Word begin, Word first, Word command) {
  constexpr std::array<std::string_view, 4> k_executes{"--exec", "-x", "--startas", "-a"};
  Word program = first;
  for (Word word = first; word != command; ++word) {
    if (!is_k3s(*word)) {
      continue;
    }
    if (word != begin && is_among(k_executes, *(word - 1))) {
      return word;
    }
    program = word->starts_with('/') || !program->starts_with('/') ? word : program;
  }
  return program;
}

std::optional<Start> find_start(const std::vector<std::string>& words) {
  for (Word word = words.begin(); word != words.end(); ++word) {
    if (!is_k3s(*word)) {
      continue;
    }
    const Word command = command_of(word, words.end());
    if (command != words.end()) {
      const Word program = program_of(words.begin(), word, command);
      const Word dashes = std::find(program + 1, command, "--");
      return Start{program, dashes == command ? program + 1 : dashes + 1, command};
    }
    if (base_name(*word) == k_second_program) {
      return Start{word, word, word};
    }
    if (is_other_command(word, words.end())) {
      return std::nullopt;
    }
  }
  return std::nullopt;
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

std::optional<Service> read_run_script(const HostFiles& files, const std::string& directory) {
  const std::string path = directory + "/run";
  const auto script = files.read(path);
  if (!script || !script->starts_with("#!")) {
    return std::nullopt;
  }
  Service service;
  service.name = base_name(directory);
  service.place = path;
  service.files = {path};
  Shell shell;
  shell.source = [&](const std::string& named) {
    const std::filesystem::path there = std::filesystem::path(directory) / named;
    const std::string file = there.lexically_normal().string();
    auto text = files.read(file);
    if (text) {
      service.files.push_back(file);
    }
    return text;
  };
  return find_in_script(*script, shell, service) ? std::optional(std::move(service)) : std::nullopt;
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
  const auto start = find_start(words);
  if (!start) {
    return std::nullopt;
  }
  std::vector<std::string> arguments(start->options, start->command); // "k3s --debug server"
  arguments.insert(arguments.end(), start->command + 1, words.end());
  return arguments;
}

std::string server_program(const std::vector<std::string>& words) {
  const auto start = find_start(words);
  // k3s's second program is started by the first, which knows all commands.
  const bool is_usual =
      start && start->program->starts_with('/') && base_name(*start->program) != k_second_program;
  return is_usual ? *start->program : std::string();
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

std::optional<Service> find_runit_service(const HostFiles& files) {
  for (const std::string place : {"/etc/sv", "/etc/runit/sv"}) { // of Void and Debian, of Artix
    std::vector<std::string> names = files.list(place);
    std::ranges::stable_partition(names, [](const std::string& name) { return name == "k3s"; });
    for (const std::string& name : names) {
      if (auto service = read_run_script(files, place + "/" + name)) {
        return service;
      }
    }
  }
  return std::nullopt;
}

} // namespace rb::k3s
