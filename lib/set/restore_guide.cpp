#include "set/restore_guide.hpp"

#include "set/restore_guide_text.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace rb::set {

namespace {

using api::ArtifactType;

constexpr std::string_view k_plain =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    "_./:@%+=,-";

/// For text between commands: names and versions of k3s need no other characters.
std::string plain(std::string_view text) {
  std::string safe(text.empty() ? "unknown" : text);
  std::ranges::replace_if(
      safe, [](char c) { return k_plain.find(c) == std::string_view::npos; }, '?');
  return safe;
}

/// Replaces every "@name@" of the text.
using Values = std::vector<std::pair<std::string_view, std::string>>;

std::string filled(std::string_view text, const Values& values) {
  std::string out;
  while (!text.empty()) {
    const auto hit = std::ranges::find_if(
        values, [&](const auto& value) { return text.starts_with(value.first); });
    if (hit != values.end()) {
      out += hit->second;
      text.remove_prefix(hit->first.size());
    } else {
      out += text.front();
      text.remove_prefix(1);
    }
  }
  return out;
}

const api::ArtifactStatus* find(const Manifest& manifest, ArtifactType type) {
  const auto found = std::ranges::find(manifest.artifacts, type, &api::ArtifactStatus::type);
  return found == manifest.artifacts.end() ? nullptr : &*found;
}

std::string name_of(const Manifest& manifest, ArtifactType type) {
  const api::ArtifactStatus* const artifact = find(manifest, type);
  return artifact == nullptr ? std::string() : artifact->file_name;
}

std::string digest_lines(const Manifest& manifest) {
  std::string lines;
  for (const api::ArtifactStatus& artifact : manifest.artifacts) {
    lines += artifact.sha256 + "  " + artifact.file_name + "\n";
  }
  return lines;
}

/// The head, with what a signed set says of its key.
std::string head_for(const std::string& public_key) {
  const bool known = !public_key.empty();
  const auto where_known = [known](std::string_view text) {
    return known ? std::string(text) : std::string();
  };
  return filled(guide_text::k_head,
                {{"@signed@", where_known(guide_text::k_signed)},
                 {"@trust@", where_known(guide_text::k_trust)},
                 {"@minisign@", where_known(guide_text::k_minisign)},
                 {"@pin@", where_known(guide_text::k_pin)}});
}

} // namespace

std::string shell_word(std::string_view text) {
  if (!text.empty() && text.find_first_not_of(k_plain) == std::string_view::npos) {
    return std::string(text);
  }
  std::string word = "'";
  for (const char c : text) {
    word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return word + "'";
}

std::string restore_guide(const Manifest& manifest, const GuideFacts& facts) {
  const SnapshotRecord snapshot = manifest.snapshot.value_or(SnapshotRecord{});
  const Values values{{"@run@", manifest.run_id},
                      {"@time@", format_rfc3339(manifest.completion_time)},
                      {"@node@", plain(manifest.node_name)},
                      {"@address@", plain(manifest.node_address)},
                      {"@version@", plain(manifest.k3s_version)},
                      {"@token@", plain(manifest.token_hash)},
                      {"@revision@", std::to_string(snapshot.revision)},
                      {"@keys@", std::to_string(snapshot.total_keys)},
                      {"@dir@", shell_word(facts.backup_dir)},
                      {"@data@", shell_word(facts.data_dir)},
                      {"@config@", shell_word(facts.config_dir)},
                      {"@work@", shell_word(facts.data_dir + "-restore")},
                      {"@digests@", digest_lines(manifest)},
                      {"@snapshot@", snapshot.file_sha256},
                      {"@etcd@", name_of(manifest, ArtifactType::etcd_snapshot)},
                      {"@key@", facts.public_key},
                      {"@hoststate@", name_of(manifest, ArtifactType::host_state)}};
  const bool host_state = find(manifest, ArtifactType::host_state) != nullptr;
  std::string guide = filled(head_for(facts.public_key), values);
  guide += filled(host_state ? guide_text::k_open_host_state : guide_text::k_no_host_state, values);
  guide += filled(guide_text::k_stop, values);
  guide += host_state ? filled(guide_text::k_put_back, values) : std::string();
  guide += filled(guide_text::k_reset, values);
  return guide;
}

} // namespace rb::set
