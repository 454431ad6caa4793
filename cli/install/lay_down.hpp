// The two files that k3s takes in by itself, laid down and taken back: the archive of the image and
// the manifests. Each by the one durable write; an order that fails leaves what was there, or what
// the next call completes.
#pragma once

#include "base/fs.hpp"
#include "base/result.hpp"

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace rb::install {

/// In k3s's manifest directory; the Addon has its name up to the dot.
inline constexpr const char* k_laid_manifest = "railiance-backup.yaml";

/// The directories of k3s, open.
struct Directories {
  std::unique_ptr<Fs> images;
  std::unique_ptr<Fs> manifests;
};

/// The image directory is made where it is missing. Errors: not_found, permission_denied, io.
[[nodiscard]] Result<Directories> open_directories(const std::string& data_dir);

struct Laid {
  bool image = false;     ///< It was another one, or none.
  bool manifests = false; ///< The same.
};

/// First the image, then the manifests: what k3s applies never names an image that is not there.
/// What is there already is not written again, and k3s sees no change. Where the manifests fail,
/// an image that was not there before goes again. `image` is read from its start. Errors: those of
/// DurableFile; the message names the file.
[[nodiscard]] Result<Laid> lay_down(const Directories& directories,
                                    File& image,
                                    std::string_view manifests,
                                    std::stop_token stop = {});

/// The manifests that lie there; nothing where none do.
[[nodiscard]] Result<std::optional<std::string>> laid_manifests(Fs& manifests);

/// As laid_manifests(), below the data directory of a server; makes nothing.
[[nodiscard]] Result<std::optional<std::string>> laid_below(const std::string& data_dir);

/// From now on k3s passes the manifests over, whatever happens to this program, until lay_down()
/// or take_away().
[[nodiscard]] Status hold_back(Fs& manifests);

/// Both files, and what hold_back() left. True: one of them was there.
[[nodiscard]] Result<bool> take_away(const Directories& directories);

/// Writes the manifests once more, so that k3s sees a change although there is none.
[[nodiscard]] Status touch_manifests(Fs& manifests, std::string_view text);

} // namespace rb::install
