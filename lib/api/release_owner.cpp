#include "api/release_owner.hpp"

#include <algorithm>
#include <array>

namespace rb::api {

namespace {

constexpr std::string_view k_flux_name = "helm.toolkit.fluxcd.io/name";
constexpr std::string_view k_flux_namespace = "helm.toolkit.fluxcd.io/namespace";
constexpr std::size_t k_name_limit_bytes = 253; // of an object
constexpr std::size_t k_label_limit_bytes = 63;
constexpr std::string_view k_system = "kube-system";
constexpr std::array<std::string_view, 2> k_distributions{"k3s", "rke2"};
/// HelmCharts in k3s's manifests directory.
constexpr std::array<std::string_view, 2> k_of_k3s{"traefik", "traefik-crd"};

template <std::size_t N>
bool is_one_of(std::string_view text, const std::array<std::string_view, N>& words) {
  return std::ranges::find(words, text) != words.end();
}

std::string label(const OwnerEvidence& release, std::string_view key) {
  const auto found = release.labels.find(std::string(key));
  return found == release.labels.end() ? std::string() : found->second;
}

/// Charts that Rancher packs anew have the version of the original behind "+up".
bool is_packed_by_rancher(std::string_view version) {
  return version.find("+up") != std::string_view::npos;
}

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

bool is_word(std::string_view text, std::size_t limit_bytes, std::string_view others) {
  return !text.empty() && text.size() <= limit_bytes && std::ranges::all_of(text, [others](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           others.find(c) != std::string_view::npos;
  });
}

} // namespace

std::optional<ReleaseOwner> controlling_object(std::string_view kind, std::string_view name) {
  // An object of the cluster has none, and one of a namespace is in that of what it owns.
  return is_word(kind, k_label_limit_bytes, "") && is_word(name, k_name_limit_bytes, "-.:_")
             ? std::optional(ReleaseOwner{std::string(kind), {}, std::string(name)})
             : std::nullopt;
}

std::string ReleaseOwner::text() const {
  return kind + (name.empty() ? "" : " " + (name_space.empty() ? "" : name_space + "/") + name);
}

std::optional<ReleaseOwner> find_owner(const OwnerEvidence& release) {
  if (std::string name = label(release, k_flux_name); !name.empty()) {
    return ReleaseOwner{"Flux HelmRelease", label(release, k_flux_namespace), std::move(name)};
  }
  if (release.controller) {
    return release.controller;
  }
  const bool of_distribution = is_one_of(release.bundle_id, k_distributions);
  if (!release.bundle_id.empty() && !of_distribution &&
      release.bundle_id.size() <= k_name_limit_bytes) {
    return ReleaseOwner{"Fleet bundle", {}, std::string(release.bundle_id)};
  }
  const bool in_system = release.name_space == k_system;
  if (of_distribution || (in_system && (is_one_of(release.name, k_of_k3s) ||
                                        is_packed_by_rancher(release.chart_version)))) {
    return ReleaseOwner{"HelmChart", std::string(k_system), std::string(release.name)};
  }
  return std::nullopt;
}

std::map<std::string, std::string> flux_labels(std::string_view manifest_json) {
  for (std::size_t at = manifest_json.find(k_flux_name); at != std::string_view::npos;
       at = manifest_json.find(k_flux_name, at + 1)) {
    std::string_view rest = manifest_json.substr(at + k_flux_name.size());
    const std::string_view name = take_value(rest);
    if (name.empty() || !take_line_end(rest) || !take(rest, k_flux_namespace)) {
      continue;
    }
    if (const std::string_view name_space = take_value(rest); !name_space.empty()) {
      return {{std::string(k_flux_name), std::string(name)},
              {std::string(k_flux_namespace), std::string(name_space)}};
    }
  }
  return {};
}

} // namespace rb::api
