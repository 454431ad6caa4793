// What the plaintext of an artifact must be; it takes the plaintext as it is decrypted.
#pragma once

#include "unpack/file_check.hpp"

#include "age/identity.hpp"
#include "age/io.hpp"
#include "artifact/fs.hpp"

#include <memory>
#include <span>

namespace rb::unpack {

class ContentCheck : public age::Sink {
public:
  /// After all of the plaintext. `file` is the encrypted file, for what has to be read once more.
  /// Adds to `report.proven`, and sets `report.snapshot`. Errors: corrupt, unsupported, cancelled,
  /// io.
  [[nodiscard]] virtual Status finish(artifact::File& file,
                                      std::span<const age::Identity> identities,
                                      const CheckHooks& hooks,
                                      FileReport& report) = 0;
};

/// `file_bytes` is the size of the encrypted file. The task outlives the check.
[[nodiscard]] std::unique_ptr<ContentCheck> make_content_check(const FileTask& task,
                                                               std::uint64_t file_bytes);

} // namespace rb::unpack
