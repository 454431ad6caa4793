// Backup sets for tests: made up, but with true sizes and digests.
#pragma once

#include "set/manifest.hpp"

#include <string>

namespace rb::test {

/// A manifest of a run, with all fields filled; its artifacts are `content_of(type, run_id)`.
[[nodiscard]] set::Manifest make_manifest(const std::string& run_id, bool complete = true);

/// What stands in for the ciphertext of an artifact.
[[nodiscard]] Bytes content_of(api::ArtifactType type, const std::string& run_id);

/// Writes the artifacts of `manifest` and then it. The error of whatever failed.
[[nodiscard]] Status store_set(set::Directory& directory, const set::Manifest& manifest);

/// "20260101T000000Z" and `days` later.
[[nodiscard]] std::string run_id_of_day(int days);

} // namespace rb::test
