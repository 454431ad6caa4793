// The third part of the kit: the product's own container image, without which a restored bare host
// takes no more backups.
#pragma once

#include "agent/image_content.hpp"
#include "set/directory.hpp"
#include "sign/signing_key.hpp"

#include <cstdint>
#include <stop_token>
#include <string>

namespace rb::agent {

struct ImageName {
  std::string reference; ///< As the pod asks for it.
  std::string id;        ///< As its status names what it got.
};

/// Which image this agent runs from; a port.
class OwnImage {
public:
  OwnImage() = default;
  virtual ~OwnImage() = default;
  OwnImage(const OwnImage&) = delete;
  OwnImage& operator=(const OwnImage&) = delete;
  OwnImage(OwnImage&&) = delete;
  OwnImage& operator=(OwnImage&&) = delete;

  /// Errors: those of the API; not_found (the pod has no such container yet).
  [[nodiscard]] virtual Result<ImageName> ask(std::stop_token stop) = 0;
};

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

} // namespace rb::agent
