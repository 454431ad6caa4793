#include "helm/names.hpp"

#include "archive/entry_path.hpp"

#include <algorithm>

namespace rb::helm {

namespace {

constexpr std::size_t k_namespace_limit_bytes = 63;
constexpr std::size_t k_name_limit_bytes = 200; // with ".yaml" below NAME_MAX

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

} // namespace

bool is_safe_namespace(std::string_view text) {
  return !text.empty() && text.size() <= k_namespace_limit_bytes && is_alphanumeric(text.front()) &&
         std::all_of(
             text.begin(), text.end(), [](char c) { return is_alphanumeric(c) || c == '-'; });
}

bool is_safe_release_name(std::string_view text) {
  return !text.empty() && text.size() <= k_name_limit_bytes && is_alphanumeric(text.front()) &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return is_alphanumeric(c) || c == '-' || c == '.' || c == '_';
         });
}

std::string values_file(std::string_view name_space, std::string_view name, bool marked) {
  return std::string(name_space)
      .append("/")
      .append(name)
      .append(marked ? "@configmap.yaml" : ".yaml");
}

std::string raw_file(std::string_view name_space, std::string_view storage_object) {
  const std::size_t slash = storage_object.find('/');
  const std::string_view object =
      slash == std::string_view::npos ? std::string_view{} : storage_object.substr(slash + 1);
  if (!is_safe_namespace(name_space) || object.find('/') != std::string_view::npos) {
    return {};
  }
  std::string file = "raw/";
  file.append(name_space).append("/").append(object);
  file.append(storage_object.starts_with("configmap/") ? "@configmap" : "");
  return archive::check_entry_path(file) ? file : std::string{};
}

} // namespace rb::helm
