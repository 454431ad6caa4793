#include "datastore/etcd/key_names.hpp"

#include <algorithm>

namespace rb::etcd {

namespace {

constexpr std::string_view k_registry = "/registry/";
constexpr std::string_view k_bootstrap = "/bootstrap/";
constexpr std::size_t k_kind_length = 253 + 1 + 63; // <group>/<resource>, both DNS names

bool fit_to_print(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

} // namespace

std::optional<std::string> object_kind(std::string_view key) {
  if (!key.starts_with(k_registry)) {
    return std::nullopt;
  }
  key.remove_prefix(k_registry.size());
  std::size_t end = std::min(key.find('/'), key.size());
  const std::string_view first = key.substr(0, end);
  if ((first == "services" || first.find('.') != std::string_view::npos) && end < key.size()) {
    end = std::min(key.find('/', end + 1), key.size());
  }
  const std::string_view kind = key.substr(0, end);
  const bool usable = !kind.empty() && kind.size() <= k_kind_length && fit_to_print(kind);
  return std::string(usable ? kind : k_other_kind);
}

std::optional<std::string> bootstrap_hash(std::string_view key) {
  if (!key.starts_with(k_bootstrap)) {
    return std::nullopt;
  }
  key.remove_prefix(k_bootstrap.size());
  const bool is_hash = !key.empty() && key.size() <= 64 &&
                       key.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  return is_hash ? std::optional(std::string(key)) : std::nullopt;
}

} // namespace rb::etcd
