// What the plaintext of an artifact must be; it takes the plaintext as it is decrypted.
#pragma once

#include "set/file_check.hpp"

#include "age/identity.hpp"
#include "age/io.hpp"
#include "base/fs.hpp"

#include <memory>
#include <span>

namespace rb::set {

class ContentCheck : public age::Sink {
public:
  /// After all of the plaintext. `file` is the encrypted file, for what has to be read once more.
  /// Adds to `report.proven`, and sets `report.snapshot`. Errors: corrupt, unsupported, cancelled,
  /// io.
  [[nodiscard]] virtual Status finish(File& file,
                                      std::span<const age::Identity> identities,
                                      const CheckHooks& hooks,
                                      FileReport& report) = 0;
};

/// `file_bytes` is the size of the encrypted file. The task outlives the check.
[[nodiscard]] std::unique_ptr<ContentCheck> make_content_check(const FileTask& task,
                                                               std::uint64_t file_bytes);

} // namespace rb::set
