// The command line in a unit of systemd or a script of OpenRC.
#include "recover/server_settings.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace rb::recover {

namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 6> k_short{
    {{"d", "data-dir"},
     {"t", "token"},
     {"s", "server"},
     {"c", "config"},
     {"i", "node-ip"},
     {"o", "write-kubeconfig"}}};

constexpr std::array<std::pair<std::string_view, std::string_view>, 12> k_variables{{
    {"K3S_URL", "server"},
    {"K3S_TOKEN", "token"},
    {"K3S_TOKEN_FILE", "token-file"},
    {"K3S_DATA_DIR", "data-dir"},
    {"K3S_NODE_NAME", "node-name"},
    {"K3S_CONFIG_FILE", "config"},
    {"K3S_CLUSTER_INIT", "cluster-init"},
    {"K3S_DATASTORE_ENDPOINT", "datastore-endpoint"},
    {"K3S_KUBECONFIG_OUTPUT", "write-kubeconfig"},
    {"K3S_KUBECONFIG_MODE", "write-kubeconfig-mode"},
    {"K3S_SUPERVISOR_PORT", "supervisor-port"},
    {"K3S_SECRETS_ENCRYPTION", "secrets-encryption"},
}};

/// The text after `key` at the start of a line, up to the first line that does not end with '\'.
std::string logical_line(std::string_view text, std::string_view key) {
  std::size_t at = text.starts_with(key) ? 0 : text.find("\n" + std::string(key));
  if (at == std::string_view::npos) {
    return {};
  }
  at = text.find(key, at) + key.size();
  std::string line;
  for (; at < text.size() && text[at] != '\n'; ++at) {
    if (text[at] == '\\' && at + 1 < text.size() && text[at + 1] == '\n') {
      line += ' ';
      ++at;
    } else {
      line += text[at];
    }
  }
  return line;
}

/// Words as systemd splits them: blanks separate, quotes of both kinds hold together.
std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  bool open = false;
  char quote = '\0';
  for (const char c : line) {
    if (quote != '\0') {
      if (c == quote) {
        quote = '\0';
      } else {
        words.back() += c;
      }
    } else if (c == ' ' || c == '\t') {
      open = false;
    } else {
      if (!open) {
        words.emplace_back();
        open = true;
      }
      if (c == '\'' || c == '"') {
        quote = c;
      } else {
        words.back() += c;
      }
    }
  }
  return words;
}

std::vector<std::string> command_words(std::string_view text) {
  std::vector<std::string> words = words_of(logical_line(text, "ExecStart="));
  if (!words.empty()) {
    return words;
  }
  // One quoted word that holds the words, over several lines.
  const std::size_t begin = text.find("command_args=\"");
  if (begin == std::string_view::npos) {
    return {};
  }
  const std::string_view rest = text.substr(begin + 14);
  std::string line(rest.substr(0, rest.find('"')));
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c == '\n' || c == '\\'; }, ' ');
  words = words_of(line);
  words.erase(
      std::find_if(words.begin(),
                   words.end(),
                   [](const std::string& word) { return word.find('>') != std::string::npos; }),
      words.end());
  return words;
}

std::string long_name(std::string_view flag) {
  for (const auto& [abbreviation, name] : k_short) {
    if (flag == abbreviation) {
      return std::string(name);
    }
  }
  return std::string(flag);
}

} // namespace

bool starts_server(std::string_view text) {
  const std::vector<std::string> words = command_words(text);
  return std::find(words.begin(), words.end(), "server") != words.end();
}

Flags flags_of_unit(std::string_view text) {
  const std::vector<std::string> words = command_words(text);
  Flags flags;
  for (auto word = std::find(words.begin(), words.end(), "server"); word != words.end(); ++word) {
    if (!word->starts_with('-')) {
      continue;
    }
    const std::string flag = word->substr(word->find_first_not_of('-') == std::string::npos
                                              ? word->size()
                                              : word->find_first_not_of('-'));
    const std::size_t equals = flag.find('=');
    const std::string name = long_name(flag.substr(0, equals));
    if (equals != std::string::npos) {
      flags[name].push_back(flag.substr(equals + 1));
    } else if (word + 1 != words.end() && !(word + 1)->starts_with('-')) {
      flags[name].push_back(*++word);
    } else {
      flags[name].emplace_back();
    }
  }
  return flags;
}

void add_environment(Flags& flags, std::string_view text) {
  for (const auto& [variable, flag] : k_variables) {
    std::string value = logical_line(text, std::string(variable) + "=");
    const std::vector<std::string> words = words_of(value);
    if (!words.empty() && !words.front().empty()) {
      flags.try_emplace(std::string(flag), std::vector<std::string>{words.front()});
    }
  }
}

} // namespace rb::recover
