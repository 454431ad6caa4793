// The names in a backup directory: what is ours, what it belongs to, and what is foreign and so
// never touched. docs/artifact-format.md lists them.
#pragma once

#include "api/artifacts.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace rb::set {

inline constexpr std::string_view k_stamp_name = ".last-backup";
inline constexpr std::string_view k_last_drill_name = ".last-drill";
inline constexpr std::string_view k_last_restore_name = ".last-restore";
inline constexpr std::string_view k_guide_name = "RESTORE.md";
inline constexpr std::string_view k_tool_name = "railiance-restore";
/// The product's own container image, for a restored host that has none.
inline constexpr std::string_view k_image_name = "railiance-backup-image.tar";
inline constexpr std::string_view k_public_key_name = "railiance-backup.pub";
inline constexpr std::string_view k_log_name = "backup.log";
inline constexpr std::string_view k_old_log_name = "backup.log.1";
inline constexpr std::string_view k_part_suffix = ".part";
inline constexpr std::string_view k_removing_suffix = ".removing";
inline constexpr std::string_view k_signature_suffix = ".minisig";
/// Of the signature of what is about to take a file's place.
inline constexpr std::string_view k_next_signature_suffix = ".minisig.next";

enum class NameKind {
  artifact,  ///< "etcd-<run id>.snap.age" and its three siblings
  manifest,  ///< "manifest-<run id>.json"
  signature, ///< "manifest-<run id>.json.minisig"
  removing,  ///< "manifest-<run id>.json.removing": the set is being removed
  part,      ///< one of ours that was being written
  stamp,
  log,
  last_drill,   ///< ".last-drill"
  last_restore, ///< ".last-restore"
  /// "RESTORE.md", "railiance-restore", "railiance-backup-image.tar", "railiance-backup.pub", and
  /// the signatures of these and of the stamp: replaced by runs, never removed
  kit,
  foreign,
};

struct NameInfo {
  NameKind kind = NameKind::foreign;
  std::string run_id; ///< Of artifact, manifest, signature, removing; else empty.
  std::optional<api::ArtifactType> type;
};

/// Never fails: what is not exactly one of our names is foreign.
[[nodiscard]] NameInfo classify_name(std::string_view name);

/// "manifest-<run_id>.json"
[[nodiscard]] std::string manifest_name(std::string_view run_id);

/// "manifest-<run_id>.json.minisig"
[[nodiscard]] std::string signature_name(std::string_view run_id);

} // namespace rb::set
