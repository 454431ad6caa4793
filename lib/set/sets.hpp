// The backup sets of a directory: which are there, and whether they are what their manifests say.
#pragma once

#include "set/manifest.hpp"
#include "sign/minisign.hpp"

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace rb::set {

enum class SetState {
  complete,   ///< The manifest says so, and all its files are there with their sizes.
  incomplete, ///< The manifest says so, or there is none (a run that was cut off).
  damaged,    ///< A manifest that cannot be read, or a file of it missing or of another size.
};

/// "complete", "incomplete", "damaged".
[[nodiscard]] std::string_view to_string(SetState state);

struct SetFile {
  std::string name;
  std::uint64_t size_bytes = 0;
};

struct ManifestDigests {
  std::string sha256;            ///< Hex: what the next manifest names.
  sign::Blake2bDigest blake2b{}; ///< What a signature is of.
};

struct BackupSet {
  std::string run_id;
  SystemTime time{}; ///< Of the run id.
  SetState state = SetState::incomplete;
  std::vector<std::string> problems; ///< Why it is not complete, for people.
  std::optional<Manifest> manifest;  ///< Absent when there is none or it cannot be read.
  std::vector<SetFile> files;        ///< Those that are there, artifacts and manifest.
  std::uint64_t size_bytes = 0;      ///< Of all `files`.
  /// Of the manifest's file, where it could be read, also one that cannot be parsed.
  std::optional<ManifestDigests> manifest_digests;
  /// The text of the signature beside the manifest; absent where there is none. Not looked into:
  /// that is for judge_catalogue.
  std::optional<std::string> signature;
};

/// Complete, and proven where that was asked for.
[[nodiscard]] bool is_good(const BackupSet& set);

/// Not damaged, and a server that was booted from it did not come up or served something else.
[[nodiscard]] bool is_disproven(const BackupSet& set);

/// All sets, newest first. Looks at names and sizes and reads the manifests; digests are for
/// verify_set. One bad set never hides another. Errors: those of Fs::list.
[[nodiscard]] Result<std::vector<BackupSet>> list_sets(Directory& directory);

enum class FileVerdict { intact, missing, wrong_size, wrong_digest, unreadable };

/// "intact", "missing", "wrong size", "wrong digest", "unreadable".
[[nodiscard]] std::string_view to_string(FileVerdict verdict);

struct FileCheck {
  api::ArtifactType type = api::ArtifactType::etcd_snapshot;
  std::string name;
  FileVerdict verdict = FileVerdict::unreadable;
  std::string message; ///< Empty when intact.
};

/// Reads every artifact of the manifest from the medium and compares size and SHA-256 with it; no
/// key is needed. The outcome of each file is a value. `progress` is told of bytes read.
/// Errors: cancelled.
[[nodiscard]] Result<std::vector<FileCheck>>
verify_set(Directory& directory,
           const Manifest& manifest,
           std::stop_token stop = {},
           const std::function<void(std::uint64_t)>& progress = {});

/// The bytes that a next run should find free: those of the newest complete set and a quarter,
/// and at least 64 MiB.
[[nodiscard]] std::uint64_t expected_run_bytes(const std::vector<BackupSet>& sets);

} // namespace rb::set
