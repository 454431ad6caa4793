// The host key with which the agent signs its manifests. It lies outside of the backup directory:
// who can write there, and no more, must not be able to sign. Why there: docs/decisions/0004.
#pragma once

#include "set/directory.hpp"
#include "sign/signing_key.hpp"

#include <optional>
#include <string>

namespace rb::agent {

inline constexpr std::string_view k_signing_key_name = "signing.key";
/// Its public half, from which `railiance-restore` on this host knows what this host has made.
inline constexpr std::string_view k_signing_pub_name = "signing.pub";
/// The directory below that of the key with a copy of the public half: for pods that must know it
/// and must not see the key.
inline constexpr std::string_view k_public_dir_name = "public";

/// The key in `key_dir`; where there is none yet it is made there, O_EXCL, mode 0600, and durable
/// before it is used. The directory is made 0700. Two agents that begin at once end with the same
/// key.
/// Errors: permission_denied (a file that others can read or write, or that has a second name),
/// unsupported (a link, another kind of key), corrupt, those of the system. Each names the file
/// and says what to do.
[[nodiscard]] Result<sign::SigningKey> host_key(const std::string& key_dir);

/// Puts `railiance-backup.pub` beside the artifacts, where it is not there or is another one. That
/// of another key stays as `railiance-backup-<id>.pub`; its id is returned: the host has a new key.
/// Errors: those of Fs.
[[nodiscard]] Result<std::optional<std::string>> publish_key(set::Directory& directory,
                                                             const sign::PublicKey& key);

} // namespace rb::agent
