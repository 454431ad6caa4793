// Opens the artifacts of a set with private keys. What comes out is what the manifest names: its
// digests are compared before anything is handed out or gets a name on the disk.
#pragma once

#include "set/directory.hpp"
#include "set/manifest.hpp"

#include "age/identity.hpp"
#include "base/secret_bytes.hpp"

#include <cstdint>
#include <functional>
#include <span>
#include <stop_token>
#include <string>

namespace rb::set {

/// The largest artifact that is opened in memory, encrypted.
inline constexpr std::uint64_t k_memory_limit_bytes = std::uint64_t{256} << 20U;

/// Told of bytes of the encrypted file: done, and in all. Called from any thread of the pass, never
/// at the same time as itself; it must not throw.
using OnProgress = std::function<void(std::uint64_t done_bytes, std::uint64_t total_bytes)>;

/// The plaintext of a small artifact. Size and SHA-256 of the encrypted file are compared with the
/// manifest before it is decrypted. Messages begin with the file's name.
/// Errors: not_found (the manifest has no such artifact, or the file is gone), corrupt,
/// no_matching_identity, invalid_argument (no identity), unsupported (too large), cancelled, io.
[[nodiscard]] Result<SecretBytes> open_artifact(set::Directory& directory,
                                                const set::Manifest& manifest,
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
[[nodiscard]] Status decrypt_artifact_to(set::Directory& directory,
                                         const set::Manifest& manifest,
                                         api::ArtifactType type,
                                         std::span<const age::Identity> identities,
                                         const DecryptTarget& target,
                                         const std::stop_token& stop = {},
                                         const OnProgress& on_progress = {});

} // namespace rb::set
