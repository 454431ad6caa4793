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
inline constexpr std::string_view k_last_verify_name = ".last-verify";
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
  artifact,  ///< "etcd-<version>.snap.age", "sqlite-<version>.db.age", and the three siblings
  manifest,  ///< "manifest-<version>.json"
  signature, ///< "manifest-<version>.json.minisig"
  removing,  ///< "manifest-<version>.json.removing": that version of the set is being removed
  part,      ///< one of ours that was being written
  stamp,
  log,
  last_drill,   ///< ".last-drill"
  last_verify,  ///< ".last-verify"
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
  unsigned generation = 0; ///< Of the same four.
};

/// Never fails: what is not exactly one of our names is foreign.
[[nodiscard]] NameInfo classify_name(std::string_view name);

// A set that was given new recipients has a generation (docs/decisions/0029): 0 is as the run made
// it, and each rewrap makes the next one, whose files lie beside those of the one before until its
// manifest is there.

/// A run id and a generation in one word, as they stand in file names: "20261122T020000Z", and
/// "20261122T020000Z.r1" after the first rewrap.
struct Version {
  std::string run_id;
  unsigned generation = 0;

  [[nodiscard]] std::string text() const;
  auto operator<=>(const Version&) const = default;
};

/// Nothing: it is not such a word.
[[nodiscard]] std::optional<Version> parse_version(std::string_view text);

/// "manifest-<run_id>.json", "manifest-<run_id>.r1.json"
[[nodiscard]] std::string manifest_name(std::string_view run_id, unsigned generation = 0);

/// "manifest-<run_id>.json.minisig", "manifest-<run_id>.r1.json.minisig"
[[nodiscard]] std::string signature_name(std::string_view run_id, unsigned generation = 0);

/// "railiance-backup-<key_id>.pub": the public key that the host had before it got another one. It
/// is never touched again, so classify_name calls it foreign.
[[nodiscard]] std::string old_public_key_name(std::string_view key_id);

/// Of what key id a file of that name holds the public key (16 upper-case hex digits). Nothing: it
/// is no such name.
[[nodiscard]] std::optional<std::string> old_public_key_id(std::string_view name);

/// "etcd-<run_id>.snap.age", "etcd-<run_id>.r1.snap.age", and so on.
[[nodiscard]] std::string artifact_name(api::ArtifactType type,
                                        std::string_view run_id,
                                        unsigned generation = 0,
                                        api::DatastoreKind kind = api::DatastoreKind::etcd);

} // namespace rb::set
