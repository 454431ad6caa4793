// The kit beside the artifacts: the static railiance-restore, RESTORE.md, and the product's own
// container image, without which a restored bare host takes no more backups. With the key they are
// all that a restore on a bare machine needs.
#pragma once

#include "set/restore_guide.hpp"
#include "sign/signing_key.hpp"

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

namespace rb::agent {

/// Copies `program` to the directory (mode 0700) when its digest differs from that of the copy
/// there, and writes RESTORE.md for the set, each with a signature of its own by `key`; one that is
/// missing or not ours is made anew. Both appear under their names only when they are whole. A
/// guide of ours for a set with host state is not replaced by one for a set without. Neither is
/// written through, or in place of, a link. `program` empty: only the guide is written. Returns
/// what went wrong; one failure does not keep the other file from being written.
[[nodiscard]] std::vector<Error> write_kit(set::Directory& directory,
                                           const std::string& program,
                                           const set::Manifest& manifest,
                                           const set::GuideFacts& facts,
                                           const sign::SigningKey& key);

struct ImageName {
  std::string reference; ///< As the pod asks for it.
  std::string id;        ///< As its status names what it got.
};

/// Which image this agent runs from. Errors: those of the API; not_found (the pod has no such
/// container yet).
using AskImage = std::function<Result<ImageName>(std::stop_token)>;

/// Writes the archive with a signature of its own where the one that is there is not that of this
/// image: once for each version. `spare_bytes` must be left free beside it. Errors: no_space,
/// unsupported (larger than a signed file may be, or a link is in the way), those of find_image,
/// cancelled.
[[nodiscard]] Status keep_image(set::Directory& directory,
                                const std::string& data_dir,
                                const ImageName& image,
                                std::uint64_t spare_bytes,
                                const sign::SigningKey& key,
                                std::stop_token stop);

// A container image in the content store of k3s's containerd, and the same as an OCI archive, which
// k3s imports at its start. Read as files: no socket of containerd is needed, with which one could
// do anything to the host.

struct ImageBlob {
  std::string hex; ///< Of its SHA-256, which is its name.
  std::uint64_t size_bytes = 0;
};

struct ImageContent {
  ImageBlob manifest;
  std::string media_type;       ///< Of the manifest.
  std::vector<ImageBlob> blobs; ///< All of it, the manifest first; each once.
  std::string store;            ///< The directory with the blobs.
};

/// What a Pod's status calls the image: "NAME@sha256:…" of a manifest or an index, or the
/// "sha256:…" of a configuration, for one that was imported. Errors: not_found (not all of it is
/// there: containerd was told to discard layers), unsupported (not such a reference, or absurdly
/// large), corrupt.
[[nodiscard]] Result<ImageContent> find_image(const std::string& data_dir,
                                              const std::string& image_id);

/// As containerd knows an image that is asked for as `reference`: "docker.io/library/NAME:latest".
[[nodiscard]] std::string full_image_name(const std::string& reference);

using TakeBytes = std::function<Status(ByteView)>;

/// The beginning of the archive: which image it is, and under what name. Equal for equal images.
[[nodiscard]] Bytes archive_head(const ImageContent& image, const std::string& name);
[[nodiscard]] std::uint64_t archive_bytes(const ImageContent& image, const std::string& name);

/// The whole archive, in pieces. Errors: corrupt (a blob is not what its name says), those of
/// `take` and of the system.
[[nodiscard]] Status
write_image_archive(const ImageContent& image, const std::string& name, const TakeBytes& take);

} // namespace rb::agent
