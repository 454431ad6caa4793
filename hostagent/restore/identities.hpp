// The private keys that a command was given.
#pragma once

#include "restore/io.hpp"

#include "age/identity.hpp"

#include <string>
#include <vector>

namespace rb::restore {

/// All identities of all files, in order; what was skipped is said on io.err. Errors: those of
/// age::read_identity_file; the commands end with ExitCode::no_identity then.
[[nodiscard]] Result<std::vector<age::Identity>>
read_identities(const std::vector<std::string>& paths, const Io& io);

} // namespace rb::restore
