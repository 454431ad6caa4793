// Opens the artifacts of a set with private keys. What comes out is what the manifest names: its
// digests are compared before anything is handed out or gets a name on the disk.
#pragma once

#include "set/manifest.hpp"

#include "age/identity.hpp"
#include "base/durable_file.hpp"
#include "base/secret_bytes.hpp"

#include <cstdint>
#include <functional>
#include <span>
#include <stop_token>
#include <string>

namespace rb::set {

/// A decrypted file that has a name only when it is whole. Written without a name, so that not even
/// a kill leaves a half of it; where the file system has no such files, as ".<name>.<pid>.part",
/// removed by the destructor.
class OutputFile {
public:
  /// Mode 0600, in the directory of `path`. Errors: already_exists (without `replace`), those of
  /// open(2).
  [[nodiscard]] static Result<OutputFile> create(const std::string& path, bool replace);

  [[nodiscard]] Status write(ByteView bytes) { return m_file.write(bytes); }

  /// Durably. Errors: already_exists, those of the system.
  [[nodiscard]] Status commit();

private:
  OutputFile(Directory directory, std::string path, DurableFile file)
      : m_directory(std::move(directory)), m_path(std::move(path)), m_file(std::move(file)) {}

  Directory m_directory;
  std::string m_path;
  DurableFile m_file;
};

/// The largest artifact that is opened in memory, encrypted.
inline constexpr std::uint64_t k_memory_limit_bytes = std::uint64_t{256} << 20U;

/// Told of bytes of the encrypted file: done, and in all. Called from any thread of the pass, never
/// at the same time as itself; it must not throw.
using OnProgress = std::function<void(std::uint64_t done_bytes, std::uint64_t total_bytes)>;

/// The plaintext of a small artifact. Size and SHA-256 of the encrypted file are compared with the
/// manifest before it is decrypted. Messages begin with the file's name.
/// Errors: not_found (the manifest has no such artifact, or the file is gone), corrupt,
/// no_matching_identity, invalid_argument (no identity), unsupported (too large), cancelled, io.
[[nodiscard]] Result<SecretBytes> open_artifact(Directory& directory,
                                                const Manifest& manifest,
                                                api::ArtifactType type,
                                                std::span<const age::Identity> identities,
                                                const std::stop_token& stop = {});

struct DecryptTarget {
  std::string path;     ///< Gets mode 0600; links are not followed.
  bool replace = false; ///< Whether a file of that name may be there.
};

/// Decrypts an artifact of any size into a file that has its name only when it is whole, proven and
/// synced: digest of the encrypted file; of a snapshot also the SHA-256 of the manifest and the
/// trailer. Nothing is left of it after a failure. Errors: those of open_artifact,
/// already_exists, no_space.
[[nodiscard]] Status decrypt_artifact_to(Directory& directory,
                                         const Manifest& manifest,
                                         api::ArtifactType type,
                                         std::span<const age::Identity> identities,
                                         const DecryptTarget& target,
                                         const std::stop_token& stop = {},
                                         const OnProgress& on_progress = {});

} // namespace rb::set
