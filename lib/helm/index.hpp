// index.json of the Helm artifact, written and read: what `helm upgrade --install` needs besides
// the values (docs/artifact-format.md), and which names may become file names there. Pure.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "helm/limits.hpp"
#include "helm/release.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rb::helm {

/// Letters, digits and '-' only, at most 63: what a namespace can be (RFC 1123 label), and more.
[[nodiscard]] bool is_safe_namespace(std::string_view text);

/// Letters, digits, '-', '.' and '_', the first a letter or a digit, at most 200 bytes: every name
/// that Helm takes (53 characters, pkg/chartutil validate_name), and more.
[[nodiscard]] bool is_safe_release_name(std::string_view text);

/// The path of a release's values in the archive. `marked`: they come from a ConfigMap, and a
/// Secret has the same release.
[[nodiscard]] std::string
values_file(std::string_view name_space, std::string_view name, bool marked = false);

/// The path of the bytes of a stored object ("secret/…", "configmap/…") that is no release. Empty:
/// its names, which are not those of Kubernetes then, make none.
[[nodiscard]] std::string raw_file(std::string_view name_space, std::string_view storage_object);

inline constexpr std::string_view k_index_name = "index.json";

struct IndexedRelease : ReleaseFacts {
  std::string name_space;       ///< Where Helm keeps the release.
  std::string target_namespace; ///< Where its resources are; most often the same.
  std::string name;
  std::int64_t revision = 0;
  std::string file; ///< Its values: a path in the archive.
  bool has_values = false;
  std::string storage_object;
  std::optional<ReleaseKey> recorded; ///< Where the record calls itself otherwise.
  std::optional<api::ReleaseOwner> owner;

  /// Why this entry can't be used as it stands (see unusable()). Not written: each reader asks.
  std::string odd = {};
};

/// A stored object that gave no release.
struct IndexedObject : api::UndecodableRelease {
  std::string file; ///< Its bytes as they were stored; empty: they were not kept.
};

struct Index {
  std::vector<IndexedRelease> releases;
  std::vector<IndexedObject> undecodable;
  std::int64_t unlisted = 0; ///< So many more, for which there was no room.

  [[nodiscard]] std::size_t undecodable_total() const {
    return undecodable.size() + static_cast<std::size_t>(unlisted);
  }
};

/// `release` without its values.
[[nodiscard]] IndexedRelease indexed(const Release& release, std::string file);

/// Why nobody can use this entry, or nothing. What the writer would have to write so, it keeps as
/// raw bytes instead; what the reader finds so, it shows, and goes on. In words that may be shown.
[[nodiscard]] std::string unusable(const IndexedRelease& release, const Limits& limits = {});

/// As they stand in the index, commas and line feeds around them aside.
[[nodiscard]] std::string entry_json(const IndexedRelease& release);
[[nodiscard]] std::string entry_json(const IndexedObject& object);

[[nodiscard]] SecretBytes index_json(const Index& index, SystemTime collected_at);

/// An entry of another form than ours is kept with what can be read of it, and marked as odd.
/// Errors: corrupt (not such an index at all), unsupported (a format of a newer version).
[[nodiscard]] Result<Index> parse_index(std::string_view json, const Limits& limits = {});

} // namespace rb::helm
