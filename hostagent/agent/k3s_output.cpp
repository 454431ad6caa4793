#include "agent/k3s_output.hpp"

#include "k3s/words.hpp"

#include "base/json_text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace rb::agent {

namespace {

constexpr std::string_view k_blank = " \t\r\n";

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t begin = line.find_first_not_of(k_blank);
    if (begin != std::string_view::npos) {
      lines.push_back(line.substr(begin, line.find_last_not_of(k_blank) - begin + 1));
    }
  }
  return lines;
}

std::string_view base_name(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

/// zap's JSON: {"level":"info",…,"msg":"saved","path":"/…/X"}.
std::string saved_in_json(std::string_view line) {
  const auto json = json_of(line);
  if (!json.is_object()) {
    return {};
  }
  const auto message = json.find("msg");
  const auto path = json.find("path");
  if (message == json.end() || *message != "saved" || path == json.end() || !path->is_string()) {
    return {};
  }
  return std::string(base_name(path->get_ref<const std::string&>()));
}

/// "… Snapshot X saved." where X has no blank in it; of a path, its last component.
std::string saved_in_text(std::string_view line) {
  constexpr std::string_view k_before = "Snapshot ";
  constexpr std::string_view k_after = " saved.";
  for (std::size_t at = line.find(k_before); at != std::string_view::npos;
       at = line.find(k_before, at + 1)) {
    const std::string_view rest = line.substr(at + k_before.size());
    const std::string_view name = rest.substr(0, rest.find_first_of(k_blank));
    if (!name.empty() && rest.substr(name.size()).starts_with(k_after)) {
      return std::string(base_name(name));
    }
  }
  return {};
}

} // namespace

std::vector<std::string> saved_names(std::string_view output) {
  std::vector<std::string> names;
  for (const std::string_view line : lines_of(output)) {
    std::string name = line.starts_with('{') ? saved_in_json(line) : saved_in_text(line);
    if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end()) {
      names.push_back(std::move(name));
    }
  }
  return names;
}

std::string last_words(const ProcessResult& result) {
  std::string words = k3s::last_words(result.err);
  return words.empty() ? k3s::last_words(result.out) : words;
}

} // namespace rb::agent
