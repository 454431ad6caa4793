#include "k3s/systemd.hpp"

#include "k3s/lines.hpp"
#include "k3s/service.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <map>

namespace rb::k3s {

namespace {

using Text = UnitFile;

/// What the files of a unit come to.
class Unit {
public:
  Unit(std::string name, std::string host_name) : m_host_name(std::move(host_name)) {
    m_service.name = std::move(name);
  }

  void lay_over(const Text& file) {
    if (!file.path.empty()) {
      m_service.files.push_back(file.path);
    }
    for (const UnitLine& line : service_lines(file.text)) {
      const std::string value = without_specifiers(line.value, m_service.name, m_host_name);
      if (line.key == "ExecStart") {
        set(m_commands, value, file.path);
      } else if (line.key == "EnvironmentFile") {
        set(m_environment_files, value, file.path);
      } else if (line.key == "Environment") {
        set_environment(value, file.path);
      } else if (line.key == "UnsetEnvironment") {
        m_unset.push_back(value);
      } else if (line.key == "LoadCredential") {
        load_credential(value);
        m_has_credentials = true;
      } else if (line.key.ends_with("Credential") || line.key.ends_with("CredentialEncrypted")) {
        m_has_credentials = true; // of which no file that others can read is known
      }
    }
  }

  std::optional<Service> service(const HostFiles& files) {
    for (const Text& entry : m_environment_files) {
      read_environment(files, entry.text);
    }
    for (const std::string& names : m_unset) {
      for (const std::string& name : unit_words(names)) {
        m_service.environment.erase(name.substr(0, name.find('=')));
      }
    }
    if (m_has_credentials) {
      m_service.environment["CREDENTIALS_DIRECTORY"] = credentials_directory(m_service.name);
    }
    for (const Text& command : m_commands) {
      if (takes(files, command)) {
        name_sources(files);
        return std::move(m_service);
      }
    }
    return std::nullopt;
  }

private:
  /// An empty value takes back what was said.
  static void set(std::vector<Text>& list, const std::string& value, const std::string& path) {
    if (value.empty()) {
      list.clear();
    } else {
      list.push_back({path, value});
    }
  }

  /// "ID:PATH", or "ID"; an empty value takes back what was said.
  void load_credential(const std::string& value) {
    const std::size_t colon = value.find(':');
    if (value.empty()) {
      m_credentials.clear();
    } else {
      m_credentials[value.substr(0, colon)] =
          colon == std::string::npos ? value : value.substr(colon + 1);
    }
  }

  /// What is no absolute path is looked for in the stores of credentials.
  static std::string source_of(const HostFiles& files, const std::string& named) {
    if (named.starts_with('/')) {
      return named;
    }
    for (const char* const store : {"/etc/credstore/",
                                    "/run/credstore/",
                                    "/usr/local/lib/credstore/",
                                    "/usr/lib/credstore/"}) {
      if (auto text = files.read(store + named)) {
        std::ranges::fill(*text, '\0');
        return store + named;
      }
    }
    return {};
  }

  /// A credential is there while the service runs: what counts is the file that it is made of.
  void name_sources(const HostFiles& files) {
    for (const auto& [id, named] : m_credentials) {
      const std::string source = source_of(files, named);
      if (source.empty()) {
        continue;
      }
      const std::string copy = credentials_directory(m_service.name) + "/" + id;
      const auto put_source = [&](std::string& text) {
        if (text.ends_with(copy)) { // PATH, and --token-file=PATH
          text.replace(text.size() - copy.size(), copy.size(), source);
        }
      };
      std::ranges::for_each(m_service.arguments, put_source);
      for (auto& variable : m_service.environment) {
        put_source(variable.second);
      }
    }
  }

  void set_environment(const std::string& value, const std::string& path) {
    if (value.empty()) {
      m_service.environment.clear();
    }
    for (const std::string& word : unit_words(value)) {
      m_service.assign(word, path);
    }
  }

  void read_environment(const HostFiles& files, std::string path) {
    if (path.starts_with('-')) {
      path.erase(0, 1);
    }
    std::vector<std::string> paths{path};
    if (path.find_first_of("*?[") != std::string::npos) {
      const std::size_t slash = path.rfind('/');
      paths.clear();
      for (const std::string& name : files.list(path.substr(0, slash))) {
        if (::fnmatch(path.c_str() + slash + 1, name.c_str(), FNM_PERIOD) == 0) {
          paths.push_back(path.substr(0, slash + 1) + name);
        }
      }
    }
    for (const std::string& one : paths) {
      if (const auto text = files.read(one)) {
        m_service.files.push_back(one);
        for (auto& [name, value] : environment_of_file(*text)) {
          m_service.set_variable(name, value, one);
        }
      }
    }
  }

  bool takes(const HostFiles& files, const Text& command) {
    const std::vector<std::string> words = command_words(command.text, m_service.environment);
    if (words.empty()) {
      return false;
    }
    m_service.place = command.path;
    if (auto arguments = server_arguments(words)) {
      take_assignments(words, command.path);
      m_service.program = server_program(words);
      m_service.arguments = std::move(*arguments);
      return true;
    }
    // sh -c 'SCRIPT' NAME PARAMETER…; what stands before it may have a "-c" of its own (ionice).
    for (auto word = words.begin(); word != words.end() && word + 1 != words.end(); ++word) {
      const auto behind = word + 2;
      if (word->starts_with('-') && !word->starts_with("--") && word->ends_with('c') &&
          takes_script(
              files, *(word + 1), {behind == words.end() ? behind : behind + 1, words.end()})) {
        return true;
      }
    }
    const auto script = files.read(words.front());
    if (script && script->starts_with("#!")) {
      m_service.files.push_back(words.front());
      return takes_script(files, *script, {words.begin() + 1, words.end()});
    }
    return false;
  }

  bool takes_script(const HostFiles& files,
                    std::string_view script,
                    std::vector<std::string> parameters) {
    Shell shell;
    shell.variables = m_service.environment;
    for (const auto& entry : m_service.environment) {
      shell.exported.insert(entry.first);
    }
    shell.parameters = std::move(parameters);
    read_sourced(shell, files, m_service);
    return find_in_script(script, shell, m_service);
  }

  /// "/usr/bin/env K3S_DATA_DIR=/data k3s server"
  void take_assignments(const std::vector<std::string>& words, const std::string& path) {
    for (const std::string& word : words) {
      if (word == "server") {
        break;
      }
      if (word.starts_with("K3S_")) {
        m_service.assign(word, path);
      }
    }
  }

  std::string m_host_name;
  Service m_service;
  std::map<std::string, std::string> m_credentials;
  bool m_has_credentials = false;
  std::vector<Text> m_commands;
  std::vector<Text> m_environment_files;
  std::vector<std::string> m_unset;
};

std::optional<Service>
read_unit(const HostFiles& files, const std::string& name, const Text& file) {
  const std::string host_name = files.read("/etc/hostname").value_or("");
  Unit unit(name, std::string(trimmed(host_name)));
  unit.lay_over(file);
  for (const Text& drop_in : drop_ins(files, name)) {
    unit.lay_over(drop_in);
  }
  return unit.service(files);
}

std::optional<Service> read_unit(const HostFiles& files, const std::string& name) {
  const auto file = unit_file(files, name);
  return file ? read_unit(files, name, *file) : std::nullopt;
}

} // namespace

std::optional<Service> find_systemd_service(const HostFiles& files) {
  for (const UnitName& unit : unit_names(files)) {
    if (unit.is_template()) {
      continue;
    }
    if (auto service = read_unit(files, unit.name)) {
      service->link = unit.link;
      return service;
    }
  }
  for (const std::string& unit : hidden_units(files)) {
    if (auto service = read_unit(files, unit, {{}, std::string(text_of_hidden(unit))})) {
      service->assumed = true;
      return service;
    }
  }
  return std::nullopt;
}

std::optional<Service> find_systemd_template(const HostFiles& files) {
  for (const UnitName& unit : unit_names(files)) {
    if (!unit.is_template()) {
      continue;
    }
    // Any name would do but where the instance is k3s's command: "k3s %i".
    if (auto service = read_unit(files, unit.name + "server")) {
      service->name = unit.name;
      return service;
    }
  }
  return std::nullopt;
}

} // namespace rb::k3s
