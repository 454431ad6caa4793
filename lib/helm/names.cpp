#include "helm/names.hpp"

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

} // namespace rb::helm
