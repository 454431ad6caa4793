// A container image in the content store of k3s's containerd, and the same as an OCI archive, which
// k3s imports at its start. Read as files: no socket of containerd is needed, with which one could
// do anything to the host.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace rb::agent {

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
