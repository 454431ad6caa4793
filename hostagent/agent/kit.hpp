// The kit beside the artifacts: the static railiance-restore and RESTORE.md. With the key they are
// all that a restore on a bare machine needs.
#pragma once

#include "set/restore_guide.hpp"
#include "sign/signing_key.hpp"

#include <string>
#include <vector>

namespace rb::agent {

/// Copies `program` to the directory (mode 0700) when its digest differs from that of the copy
/// there, and writes RESTORE.md for the set, each with a signature of its own by `key`; one that is
/// missing or not ours is made anew. Both appear under their names only when they are whole. A
/// guide of ours for a set with host state is not replaced by one for a set without. Neither is
/// written through, or in place of, a link. `program` empty: only the guide is written. Returns
/// what went wrong; one failure does not keep the other file from being written.
[[nodiscard]] std::vector<Error> write_kit(set::Directory& directory,
                                           const std::string& program,
                                           const set::Manifest& manifest,
                                           const set::GuideFacts& facts,
                                           const sign::SigningKey& key);

} // namespace rb::agent
