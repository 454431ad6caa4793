#include "set/names.hpp"

#include "base/clock.hpp"

namespace rb::set {

namespace {

/// What stands between `prefix` and `suffix`, where it is a run id; else empty.
std::string
run_id_between(std::string_view name, std::string_view prefix, std::string_view suffix) {
  if (name.size() <= prefix.size() + suffix.size() || !name.starts_with(prefix) ||
      !name.ends_with(suffix)) {
    return {};
  }
  name.remove_prefix(prefix.size());
  name.remove_suffix(suffix.size());
  return parse_run_id(name) ? std::string(name) : std::string();
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
  if (name == k_last_restore_name) {
    return {NameKind::last_restore, {}, {}};
  }
  if (is_kit_file(name) || name == k_public_key_name || is_signature_of_a_file(name)) {
    return {NameKind::kit, {}, {}};
  }
  if (name == k_log_name || name == k_old_log_name) {
    return {NameKind::log, {}, {}};
  }
  if (std::string id = run_id_between(name, "manifest-", ".json"); !id.empty()) {
    return {NameKind::manifest, std::move(id), {}};
  }
  if (std::string id = run_id_between(name, "manifest-", ".json.minisig"); !id.empty()) {
    return {NameKind::signature, std::move(id), {}};
  }
  for (const api::ArtifactType type : api::k_all_artifacts) {
    // The pattern of file_name() around an empty run id: "etcd-" and ".snap.age".
    const std::string pattern = api::file_name(type, "");
    const std::size_t cut = pattern.rfind('-') + 1;
    std::string id = run_id_between(
        name, std::string_view(pattern).substr(0, cut), std::string_view(pattern).substr(cut));
    if (!id.empty()) {
      return {NameKind::artifact, std::move(id), type};
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

std::string manifest_name(std::string_view run_id) {
  return "manifest-" + std::string(run_id) + ".json";
}

std::string signature_name(std::string_view run_id) {
  return manifest_name(run_id) + std::string(k_signature_suffix);
}

} // namespace rb::set
