#include "set/names.hpp"

#include "base/clock.hpp"
#include "base/text.hpp"

#include <algorithm>

namespace rb::set {

namespace {

constexpr std::string_view k_generation_mark = ".r";
constexpr std::size_t k_generation_digits = 4;
constexpr std::string_view k_old_key_prefix = "railiance-backup-";
constexpr std::string_view k_old_key_suffix = ".pub";
constexpr std::size_t k_key_id_digits = 16;

/// What stands between `prefix` and `suffix`, where it is a version.
std::optional<Version>
version_between(std::string_view name, std::string_view prefix, std::string_view suffix) {
  if (name.size() <= prefix.size() + suffix.size() || !name.starts_with(prefix) ||
      !name.ends_with(suffix)) {
    return std::nullopt;
  }
  name.remove_prefix(prefix.size());
  name.remove_suffix(suffix.size());
  return parse_version(name);
}

NameInfo
info_of(NameKind kind, Version version, std::optional<api::ArtifactType> type = std::nullopt) {
  return {kind, std::move(version.run_id), type, version.generation};
}

bool is_kit_file(std::string_view name) {
  return name == k_guide_name || name == k_tool_name || name == k_image_name;
}

/// Of a file that has a signature of its own, also the one that is about to count.
bool is_signature_of_a_file(std::string_view name) {
  for (const std::string_view suffix : {k_signature_suffix, k_next_signature_suffix}) {
    if (name.ends_with(suffix)) {
      name.remove_suffix(suffix.size());
      return is_kit_file(name) || name == k_stamp_name;
    }
  }
  return false;
}

NameInfo classify_final(std::string_view name) {
  if (name == k_stamp_name) {
    return {NameKind::stamp, {}, {}};
  }
  if (name == k_last_drill_name) {
    return {NameKind::last_drill, {}, {}};
  }
  if (name == k_last_verify_name) {
    return {NameKind::last_verify, {}, {}};
  }
  if (name == k_last_restore_name) {
    return {NameKind::last_restore, {}, {}};
  }
  if (is_kit_file(name) || name == k_public_key_name || is_signature_of_a_file(name)) {
    return {NameKind::kit, {}, {}};
  }
  if (name == k_log_name || name == k_old_log_name) {
    return {NameKind::log, {}, {}};
  }
  if (auto version = version_between(name, "manifest-", ".json")) {
    return info_of(NameKind::manifest, *std::move(version));
  }
  if (auto version = version_between(name, "manifest-", ".json.minisig")) {
    return info_of(NameKind::signature, *std::move(version));
  }
  for (const api::ArtifactType type : api::k_all_artifacts) {
    // The pattern of file_name() around an empty run id: "etcd-" and ".snap.age".
    const std::string pattern = api::file_name(type, "", api::kind_of_file(name));
    const std::size_t cut = pattern.rfind('-') + 1;
    auto version = version_between(
        name, std::string_view(pattern).substr(0, cut), std::string_view(pattern).substr(cut));
    if (version) {
      return info_of(NameKind::artifact, *std::move(version), type);
    }
  }
  return {};
}

} // namespace

NameInfo classify_name(std::string_view name) {
  if (name.ends_with(k_part_suffix)) {
    const NameKind kind = classify_final(name.substr(0, name.size() - k_part_suffix.size())).kind;
    const bool written_by_parts = kind != NameKind::log && kind != NameKind::foreign;
    return {written_by_parts ? NameKind::part : NameKind::foreign, {}, {}};
  }
  if (name.ends_with(k_removing_suffix)) {
    NameInfo info = classify_final(name.substr(0, name.size() - k_removing_suffix.size()));
    if (info.kind != NameKind::manifest) {
      return {};
    }
    info.kind = NameKind::removing;
    return info;
  }
  return classify_final(name);
}

std::string Version::text() const {
  return generation == 0 ? run_id
                         : run_id + std::string(k_generation_mark) + std::to_string(generation);
}

std::optional<Version> parse_version(std::string_view text) {
  const std::size_t mark = std::min(text.find(k_generation_mark), text.size());
  Version version{std::string(text.substr(0, mark)), 0};
  if (!parse_run_id(version.run_id)) {
    return std::nullopt;
  }
  if (mark == text.size()) {
    return version;
  }
  const std::string_view digits = text.substr(mark + k_generation_mark.size());
  const auto generation = whole_number<unsigned>(digits);
  if (!generation || digits.front() == '0' || digits.size() > k_generation_digits) {
    return std::nullopt;
  }
  version.generation = *generation;
  return version;
}

std::string manifest_name(std::string_view run_id, unsigned generation) {
  return "manifest-" + Version{std::string(run_id), generation}.text() + ".json";
}

std::string signature_name(std::string_view run_id, unsigned generation) {
  return manifest_name(run_id, generation) + std::string(k_signature_suffix);
}

std::string old_public_key_name(std::string_view key_id) {
  return std::string(k_old_key_prefix) + std::string(key_id) + std::string(k_old_key_suffix);
}

std::optional<std::string> old_public_key_id(std::string_view name) {
  if (!name.starts_with(k_old_key_prefix) || !name.ends_with(k_old_key_suffix) ||
      name.size() != k_old_key_prefix.size() + k_key_id_digits + k_old_key_suffix.size()) {
    return std::nullopt;
  }
  const std::string_view id = name.substr(k_old_key_prefix.size(), k_key_id_digits);
  const bool is_hex = id.find_first_not_of("0123456789ABCDEF") == std::string_view::npos;
  return is_hex ? std::optional(std::string(id)) : std::nullopt;
}

std::string artifact_name(api::ArtifactType type,
                          std::string_view run_id,
                          unsigned generation,
                          api::DatastoreKind kind) {
  return api::file_name(type, Version{std::string(run_id), generation}.text(), kind);
}

} // namespace rb::set
