// One artifact of a set, decrypted and unpacked into a directory, and nowhere else: every step goes
// from a descriptor to a single name, no link is followed, and nothing is written while anything
// speaks against it.
#pragma once

#include "set/opened_set.hpp"

#include "archive/tar_gz.hpp"
#include "helm/artifact.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace rb::set {

/// Writes `entries` below `directory`, which is made (0700) when missing; its parent must be there.
/// Directories are made with 0700, files get mode and time of their entry, no owner but ours. Each
/// file has its name only when it is whole; all of it is on the medium afterwards.
/// Without `replace`, nothing is written if one of the files is there; with it, regular files are
/// replaced, everything else is refused.
/// Errors: corrupt (paths that contradict each other or lead out), already_exists, unsupported (a
/// link or another special file in the way), those of the system.
[[nodiscard]] Status
write_tree(const std::string& directory, std::span<const archive::Entry> entries, bool replace);

struct UnpackRequest {
  api::ArtifactType type = api::ArtifactType::helm_values; ///< Not the datastore.
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

/// All of it is decrypted, read and checked before the first file is written.
/// Errors: those of open_artifact and write_tree; corrupt, unsupported (the archive).
[[nodiscard]] Result<Unpacked> unpack(Directory& directory,
                                      const Manifest& manifest,
                                      std::span<const age::Identity> identities,
                                      const UnpackRequest& request,
                                      const std::stop_token& stop = {});

} // namespace rb::set
