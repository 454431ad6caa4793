// Durable writing: a file of the backup directory has its final name only when it is whole, has
// been synced, and has been read back from the medium with the digest that was written.
#pragma once

#include "set/directory.hpp"

#include "base/durable_file.hpp"
#include "base/digest.hpp"

#include <cstdint>
#include <stop_token>
#include <string>

namespace rb::set {

struct StoredFile {
  std::string name;
  std::uint64_t size_bytes = 0;
  Sha256Digest sha256{};
};

/// One file in the making, as "<name>.part" (mode 0600). Discarded by the destructor unless
/// commit() succeeded. The Directory must outlive it. Used by one thread at a time.
class ArtifactWriter {
public:
  /// Errors: already_exists (the final name is taken), invalid_argument (not a name of ours),
  /// those of Fs.
  [[nodiscard]] static Result<ArtifactWriter> create(Directory& directory, std::string name);

  /// Appends. Hashes in the same pass, and keeps the amount of dirty pages bounded.
  [[nodiscard]] Status write(ByteView bytes) { return m_file.write(bytes); }

  [[nodiscard]] std::uint64_t size_bytes() const { return m_file.size_bytes(); }

  /// fsync, read back and compare, rename without replacing, fsync of the directory. Once.
  /// Errors: corrupt (what was read back is not what was written: VerificationFailed),
  /// already_exists, cancelled, those of Fs. After an error the final name does not exist, with
  /// one exception: if the very last sync fails, it exists and may be lost in a power cut; the
  /// file is removed again as far as that is possible.
  [[nodiscard]] Result<StoredFile> commit(std::stop_token stop = {});

private:
  ArtifactWriter(Directory& directory, std::string name, DurableFile file)
      : m_directory(&directory), m_name(std::move(name)), m_file(std::move(file)) {}

  Directory* m_directory;
  std::string m_name;
  DurableFile m_file;
};

/// Replaces a small file in one durable step: "<name>.part", fsync, rename over, fsync of the
/// directory. Errors: those of Fs. The old content stays when it fails.
[[nodiscard]] Status replace_file(Directory& directory, const std::string& name, ByteView content);

} // namespace rb::set
