#include "k3s/service.hpp"

#include <algorithm>

namespace rb::k3s {

namespace {

std::string_view base_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

/// "k3s", and what operators make of it: "k3s-v1.34", but not k3s-agent or k3s-killall.sh.
bool is_k3s(std::string_view word) {
  const std::string_view name = base_name(word);
  return name == "k3s" || name.starts_with("k3s-v") || name == "k3s-server";
}

} // namespace

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

bool find_in_script(std::string_view script, Shell& shell, Service& service) {
  const std::vector<ShellCommand> commands = read_shell(script, shell);
  for (const ShellCommand& command : commands) {
    if (auto arguments = server_arguments(command.words)) {
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

} // namespace rb::k3s
