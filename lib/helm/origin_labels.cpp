#include "helm/origin_labels.hpp"

#include <algorithm>

namespace rb::helm {

namespace {

constexpr std::string_view k_name = "helm.toolkit.fluxcd.io/name";
constexpr std::string_view k_namespace = "helm.toolkit.fluxcd.io/namespace";
constexpr std::size_t k_label_limit_bytes = 63;

bool take(std::string_view& text, std::string_view expected) {
  const bool there = text.starts_with(expected);
  text.remove_prefix(there ? expected.size() : 0);
  return there;
}

/// The value of a label after its key, in quotes where YAML needs them ("123"); nothing where there
/// is none.
std::string_view take_value(std::string_view& text) {
  if (!take(text, ": ")) {
    return {};
  }
  const std::string_view quote = take(text, "\\\"") ? "\\\"" : (take(text, "'") ? "'" : "");
  const std::size_t end =
      std::min(text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-."), text.size());
  const std::string_view value = text.substr(0, end);
  text.remove_prefix(end);
  return take(text, quote) && value.size() <= k_label_limit_bytes ? value : std::string_view{};
}

/// To the first word of the next line.
bool take_line_end(std::string_view& text) {
  if (!take(text, "\\n")) {
    return false;
  }
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  return true;
}

} // namespace

std::map<std::string, std::string> flux_labels(std::string_view manifest_json) {
  for (std::size_t at = manifest_json.find(k_name); at != std::string_view::npos;
       at = manifest_json.find(k_name, at + 1)) {
    std::string_view rest = manifest_json.substr(at + k_name.size());
    const std::string_view name = take_value(rest);
    if (name.empty() || !take_line_end(rest) || !take(rest, k_namespace)) {
      continue;
    }
    if (const std::string_view name_space = take_value(rest); !name_space.empty()) {
      return {{std::string(k_name), std::string(name)},
              {std::string(k_namespace), std::string(name_space)}};
    }
  }
  return {};
}

} // namespace rb::helm
