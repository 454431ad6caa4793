// Backup sets for tests: made up, but with true sizes and digests.
#pragma once

#include "set/manifest.hpp"

#include <map>
#include <string>
#include <vector>

namespace rb::test {

/// A manifest of a run, with all fields filled; its artifacts are `content_of(type, run_id)`.
[[nodiscard]] set::Manifest make_manifest(const std::string& run_id, bool complete = true);

/// What stands in for the ciphertext of an artifact.
[[nodiscard]] Bytes content_of(api::ArtifactType type, const std::string& run_id);

/// Writes the artifacts of `manifest` and then it. The error of whatever failed.
[[nodiscard]] Status store_set(set::Directory& directory, const set::Manifest& manifest);

/// The manifest without a signature. Errors: those of ArtifactWriter.
[[nodiscard]] Status write_manifest(set::Directory& directory, const set::Manifest& manifest);

/// What `.last-backup` says, by key. Errors: not_found, corrupt (a line that is no "key=value", no
/// run id or time, or a number that is none), those of Fs.
[[nodiscard]] Result<std::map<std::string, std::string>> read_stamp(set::Directory& directory);

/// What is wrong with the artifacts of `manifest`: gone, of another size or digest. Empty: nothing.
[[nodiscard]] std::vector<std::string> altered_files(set::Directory& directory,
                                                     const set::Manifest& manifest);

/// "20260101T000000Z" and `days` later.
[[nodiscard]] std::string run_id_of_day(int days);

} // namespace rb::test
