// What a package brings to install: the manifests and the archive of the image, where they lie, and
// which image it is. scripts/package.sh lays them out.
#pragma once

#include "base/result.hpp"

#include <string>
#include <vector>

namespace rb::install {

/// Of a package's directory.
inline constexpr const char* k_manifest_file = "railiance-backup.yaml";
inline constexpr const char* k_image_file = "images/railiance-backup.tar";

struct Package {
  std::string manifests; ///< Path of the file.
  std::string image;     ///< Path of the archive.
};

/// Where a package's files may be, in this order: share/ of the bundle whose program or loader
/// `program` is (/proc/self/exe), then what packages of the system use.
[[nodiscard]] std::vector<std::string> package_places(const std::string& program);

/// The first of `places` that has the manifests. Errors: not_found (no place has them, or that one
/// has no image).
[[nodiscard]] Result<Package> find_package(const std::vector<std::string>& places);

/// The text of the manifests. Errors: those of read_text_file.
[[nodiscard]] Result<std::string> packaged_manifests(const Package& package);

struct PackedImage {
  std::string
      name; ///< "docker.io/library/railiance-backup:0.1.0-0123456789ab", as containerd does.
  std::string architecture; ///< "amd64"
};

/// From an OCI layout in a tar archive. The image is known by a tag that holds a digest, as
/// releases give it (scripts/lay-out.sh): an import gives it no name by digest, and another image
/// never has that one. Errors: corrupt (no such archive, damaged, or a blob that is not what its
/// name says), unsupported (it has no such tag), those of the system.
[[nodiscard]] Result<PackedImage> read_image(const std::string& path);

/// This machine's, in the words of an image; uname(2)'s own where those are not known.
[[nodiscard]] std::string machine_architecture();

} // namespace rb::install
