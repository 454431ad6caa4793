#include "age/yaml_cause.hpp"

#include <algorithm>
#include <cstddef>

namespace rb::age {

namespace {

std::string_view line_at(std::string_view text, int number) {
  for (; number > 0 && !text.empty(); --number) {
    text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  }
  return text.substr(0, text.find('\n'));
}

} // namespace

std::string likely_yaml_cause(std::string_view text, int line) {
  const std::string_view at = line_at(text, line);
  const std::size_t indentation = std::min(at.find_first_not_of(" \t"), at.size());
  if (at.substr(0, indentation).find('\t') != std::string_view::npos) {
    return "there is a tab in its indentation: YAML takes blanks only";
  }
  const std::size_t quote = at.find('"');
  if (quote != std::string_view::npos && at.find('\\', quote) != std::string_view::npos) {
    return "within \"...\" a backslash begins an escape of YAML: write a regular expression in "
           "'...'";
  }
  const std::size_t colon = at.find(": ");
  if (colon != std::string_view::npos && at.find_first_of("*[{%@`!&", colon) == colon + 2) {
    return "a value that begins with " + std::string(1, at[colon + 2]) +
           " has a meaning of its own in YAML: put it in '...'";
  }
  return {};
}

} // namespace rb::age
