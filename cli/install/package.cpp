#include "cli/install/package.hpp"

#include "archive/tar_file.hpp"
#include "base/digest.hpp"
#include "base/fd.hpp"
#include "base/json_fields.hpp"
#include "base/json_member.hpp"
#include "kube/resource.hpp"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <map>

namespace rb::install {

namespace {

using Files = std::map<std::string, std::string>;

constexpr std::size_t k_manifest_limit_bytes = std::size_t{4} << 20U;
/// So many digits of the digest end the tag (scripts/lay-out.sh).
constexpr std::size_t k_digits_in_tag = 12;
constexpr std::string_view k_sha256 = "sha256:";
constexpr const char* k_name_annotation = "io.containerd.image.name";

bool is_there(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

/// The JSON document that `descriptor` names, which must be what its digest says.
Result<nlohmann::json> blob_of(const Files& files, const nlohmann::json& descriptor) {
  const std::string digest = json_text(descriptor, "digest");
  const std::string hex = digest.substr(std::min(k_sha256.size(), digest.size()));
  const auto found = files.find("blobs/sha256/" + hex);
  if (!digest.starts_with(k_sha256) || found == files.end()) {
    return Error{ErrorCode::corrupt, "a part of the image is missing", {}};
  }
  if (to_hex(sha256(as_bytes(found->second))) != hex) {
    return Error{ErrorCode::corrupt, "a part of the image is not what its digest says", {}};
  }
  nlohmann::json value = json_of(found->second);
  if (!value.is_object()) {
    return Error{ErrorCode::corrupt, "a part of the image is not JSON", {}};
  }
  return value;
}

/// "…-" and so many hexadecimal digits.
bool holds_digest(std::string_view name) {
  const std::size_t dash = name.rfind('-');
  return dash != std::string_view::npos && name.size() - dash - 1 == k_digits_in_tag &&
         name.find_first_not_of("0123456789abcdef", dash + 1) == std::string_view::npos;
}

std::string name_of(const nlohmann::json& entry) {
  return json_text(json_member(entry, "annotations"), k_name_annotation);
}

Result<PackedImage> image_in(const Files& files) {
  const auto found = files.find("index.json");
  const nlohmann::json index = found == files.end() ? nlohmann::json() : json_of(found->second);
  if (!json_member(index, "manifests").is_array()) {
    return Error{ErrorCode::corrupt, "not the archive of an image", {}};
  }
  for (const nlohmann::json& entry : json_list(index, "manifests")) {
    PackedImage image{name_of(entry), {}};
    if (!holds_digest(image.name)) {
      continue;
    }
    RB_TRY_ASSIGN(const nlohmann::json manifest, blob_of(files, entry));
    RB_TRY_ASSIGN(const nlohmann::json settings, blob_of(files, json_member(manifest, "config")));
    image.architecture = json_text(settings, "architecture");
    return image;
  }
  return Error{ErrorCode::unsupported,
               "the image has no tag that holds its digest",
               "take the one that the package brings, or make a package: scripts/package.sh"};
}

} // namespace

std::vector<std::string> package_places(const std::string& program) {
  std::vector<std::string> places;
  if (const std::string home = parent_of(parent_of(program)); !home.empty()) {
    places.push_back(home + "/share");
  }
  places.emplace_back("/usr/local/share/railiance-backup");
  places.emplace_back("/usr/share/railiance-backup");
  return places;
}

Result<Package> find_package(const std::vector<std::string>& places) {
  std::string looked;
  for (const std::string& place : places) {
    Package package{place + "/" + k_manifest_file, place + "/" + k_image_file};
    looked += (looked.empty() ? "" : ", ") + place;
    if (!is_there(package.manifests)) {
      continue;
    }
    if (!is_there(package.image)) {
      return Error{ErrorCode::not_found,
                   package.image + " is missing: the package brings no image",
                   "install the whole package again, or name another directory with --from"};
    }
    return package;
  }
  return Error{ErrorCode::not_found,
               "no package to install from: there is no " + std::string(k_manifest_file) + " in " +
                   looked,
               "install the package of railiance-backup, unpack its whole tarball, or name the "
               "directory with --from"};
}

Result<std::string> packaged_manifests(const Package& package) {
  return read_text_file(package.manifests, k_manifest_limit_bytes);
}

Result<PackedImage> read_image(const std::string& path) {
  RB_TRY_ASSIGN(const Files files, archive::read_small_files(path));
  auto image = image_in(files);
  if (!image) {
    return std::move(image).error().within(path);
  }
  return image;
}

std::string machine_architecture() {
  utsname name{};
  if (::uname(&name) != 0) {
    return {};
  }
  const std::string machine = name.machine;
  return machine == "x86_64" ? "amd64" : machine == "aarch64" ? "arm64" : machine;
}

} // namespace rb::install
