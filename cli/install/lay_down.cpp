#include "cli/install/lay_down.hpp"

#include "k3s/auto_deploy.hpp"
#include "set/names.hpp"

#include "base/durable_file.hpp"
#include "base/fd.hpp"

#include <fcntl.h>

#include <filesystem>
#include <vector>

namespace rb::install {

namespace {

constexpr std::size_t k_piece_bytes = std::size_t{1} << 20U;
constexpr std::size_t k_manifest_limit_bytes = std::size_t{8} << 20U;
constexpr unsigned k_image_mode = 0644;
constexpr unsigned k_manifest_mode = 0600; ///< As k3s gives its own.

const std::string& image_name() {
  static const std::string name(set::k_image_name);
  return name;
}

Result<std::unique_ptr<Fs>> open_directory(const std::string& path) {
  RB_TRY_ASSIGN(Fd directory, open_file(path, O_RDONLY | O_DIRECTORY));
  return open_fs(std::move(directory), path);
}

/// The file's, or nothing where there is none.
Result<std::optional<ContentDigest>>
digest_in(Fs& fs, const std::string& name, const std::stop_token& stop) {
  auto file = fs.open_read(name);
  if (!file && file.error().code == ErrorCode::not_found) {
    return std::optional<ContentDigest>();
  }
  if (!file) {
    return std::move(file).error();
  }
  RB_TRY_ASSIGN(const ContentDigest digest, digest_of(**file, stop));
  return std::optional(digest);
}

Status copy_image(Fs& images, File& source, const std::stop_token& stop) {
  RB_TRY_ASSIGN(
      DurableFile target,
      DurableFile::create(images, {.name = image_name(), .mode = k_image_mode, .replace = true}));
  std::vector<std::uint8_t> piece(k_piece_bytes);
  std::uint64_t offset = 0;
  while (true) {
    RB_TRY_ASSIGN(const std::size_t count, source.read_at(offset, piece));
    if (count == 0) {
      break;
    }
    if (stop.stop_requested()) {
      return Error{ErrorCode::cancelled, "stopped", {}};
    }
    RB_TRY(target.write(ByteView(piece).first(count)));
    offset += count;
  }
  RB_TRY(target.commit(stop));
  return {};
}

/// True: it was there.
Result<bool> remove_file(Fs& fs, const std::string& name) {
  Status removed = fs.remove(name);
  if (!removed && removed.error().code == ErrorCode::not_found) {
    return false;
  }
  RB_TRY(std::move(removed));
  return true;
}

Result<bool> lay_manifests(Fs& manifests, std::string_view text) {
  const std::string skip = k3s::skip_name(k_laid_manifest);
  RB_TRY_ASSIGN(const auto there, laid_manifests(manifests));
  RB_TRY_ASSIGN(const auto held, digest_in(manifests, skip, {}));
  if (there && *there == text && !held) {
    return false;
  }
  RB_TRY(touch_manifests(manifests, text));
  if (held) {
    RB_TRY(remove_file(manifests, skip));
    RB_TRY(manifests.sync_directory());
  }
  return true;
}

} // namespace

Result<Directories> open_directories(const std::string& data_dir) {
  const std::string images = k3s::image_directory(data_dir);
  std::error_code error;
  std::filesystem::create_directories(images, error);
  if (error) {
    return system_error(error.value(), images);
  }
  Directories directories;
  RB_TRY_ASSIGN(directories.images, open_directory(images));
  RB_TRY_ASSIGN(directories.manifests, open_directory(k3s::manifest_directory(data_dir)));
  return directories;
}

Result<Laid> lay_down(const Directories& directories,
                      File& image,
                      std::string_view manifests,
                      std::stop_token stop) {
  Fs& images = *directories.images;
  RB_TRY_ASSIGN(const auto before, digest_in(images, image_name(), stop));
  RB_TRY_ASSIGN(const ContentDigest wanted, digest_of(image, stop));
  Laid laid;
  laid.image = !before || before->sha256 != wanted.sha256;
  if (laid.image) {
    RB_TRY(copy_image(images, image, stop));
  }
  auto written = lay_manifests(*directories.manifests, manifests);
  if (!written) {
    // Where they have their name already, the image stays with them.
    const auto there = laid_manifests(*directories.manifests);
    if (!before && there && !*there) {
      static_cast<void>(remove_file(images, image_name()));
    }
    return std::move(written).error();
  }
  laid.manifests = *written;
  return laid;
}

Result<std::optional<std::string>> laid_manifests(Fs& manifests) {
  auto file = manifests.open_read(k_laid_manifest);
  if (!file && file.error().code == ErrorCode::not_found) {
    return std::optional<std::string>();
  }
  if (!file) {
    return std::move(file).error();
  }
  RB_TRY_ASSIGN(const std::uint64_t size, (*file)->size());
  if (size > k_manifest_limit_bytes) {
    return Error{ErrorCode::unsupported, std::string(k_laid_manifest) + ": not one of ours", {}};
  }
  Bytes content(static_cast<std::size_t>(size));
  RB_TRY_ASSIGN(const std::size_t count, (*file)->read(content));
  return std::optional(std::string(as_text(ByteView(content).first(count))));
}

Result<std::optional<std::string>> laid_below(const std::string& data_dir) {
  auto manifests = open_directory(k3s::manifest_directory(data_dir));
  if (!manifests && manifests.error().code == ErrorCode::not_found) {
    return std::optional<std::string>();
  }
  if (!manifests) {
    return std::move(manifests).error();
  }
  return laid_manifests(**manifests);
}

Status hold_back(Fs& manifests) {
  return write_durably(
      manifests,
      {.name = k3s::skip_name(k_laid_manifest), .mode = k_manifest_mode, .replace = true},
      {});
}

Result<bool> take_away(const Directories& directories) {
  RB_TRY_ASSIGN(const bool manifests, remove_file(*directories.manifests, k_laid_manifest));
  // The manifests must be gone for good before nothing holds them back any more.
  RB_TRY(directories.manifests->sync_directory());
  RB_TRY_ASSIGN(const bool held,
                remove_file(*directories.manifests, k3s::skip_name(k_laid_manifest)));
  RB_TRY_ASSIGN(const bool image, remove_file(*directories.images, image_name()));
  RB_TRY(directories.manifests->sync_directory());
  RB_TRY(directories.images->sync_directory());
  return manifests || held || image;
}

Status touch_manifests(Fs& manifests, std::string_view text) {
  return write_durably(manifests,
                       {.name = k_laid_manifest, .mode = k_manifest_mode, .replace = true},
                       as_bytes(text));
}

} // namespace rb::install
