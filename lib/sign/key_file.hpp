// The file that a host keeps its signing key in, as whoever may sign reads it: one that others
// could have read or changed is none. Where it lies, and why: docs/decisions/0004.
#pragma once

#include "sign/signing_key.hpp"

#include <string>

namespace rb::sign {

/// Errors: not_found, permission_denied (a file that others can read or write, or that has a second
/// name), unsupported (a link, another kind of key), corrupt, those of the system. Each names the
/// file and says what to do.
[[nodiscard]] Result<SigningKey> read_key_file(const std::string& path);

} // namespace rb::sign
