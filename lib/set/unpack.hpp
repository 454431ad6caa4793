// One artifact of a set, decrypted and unpacked into a directory.
#pragma once

#include "set/opened_set.hpp"

#include "helm/artifact.hpp"

#include <optional>
#include <string>
#include <vector>

namespace rb::set {

struct UnpackRequest {
  api::ArtifactType type = api::ArtifactType::helm_values; ///< Not the etcd snapshot.
  std::string to;
  bool replace = false;
};

struct UnpackedFile {
  std::string path; ///< Below the directory.
  std::uint64_t size_bytes = 0;
  unsigned mode = 0600;
};

struct Unpacked {
  std::vector<UnpackedFile> files;
  std::optional<helm::Contents> helm; ///< Of Helm values.
};

/// All of it is decrypted, read and checked before the first file is written (tree_writer.hpp).
/// Errors: those of open_artifact and write_tree; corrupt, unsupported (the archive).
[[nodiscard]] Result<Unpacked> unpack(set::Directory& directory,
                                      const set::Manifest& manifest,
                                      std::span<const age::Identity> identities,
                                      const UnpackRequest& request,
                                      const std::stop_token& stop = {});

} // namespace rb::set
