// One artifact of a set, checked: with a key down to what is in it, without one by its digest.
#pragma once

#include "age/identity.hpp"
#include "artifact/sets.hpp"
#include "base/exit_code.hpp"

#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

namespace rb::unpack {

struct FileTask {
  api::ArtifactType type = api::ArtifactType::etcd_snapshot;
  std::string name;
  std::optional<api::ArtifactStatus> expected;      ///< Absent: the set has no manifest.
  std::optional<artifact::SnapshotRecord> snapshot; ///< For the etcd artifact, where it is known.
};

struct FileReport {
  api::ArtifactType type = api::ArtifactType::etcd_snapshot;
  std::string name;
  /// done, damaged, no_identity or failed.
  ExitCode code = ExitCode::done;
  std::string message;             ///< Empty when the file is good.
  std::vector<std::string> proven; ///< "digest", "decrypted", "revision 4711", …
};

/// Without identities: size, digest, header. With them: all of it decrypted once for the digests,
/// tags and the trailer of a snapshot, whose pages are then walked; archives are read. Nothing is
/// written anywhere, and plaintext is held in memory that is wiped.
[[nodiscard]] FileReport check_file(artifact::Directory& directory,
                                    const FileTask& task,
                                    std::span<const age::Identity> identities,
                                    const std::stop_token& stop);

} // namespace rb::unpack
