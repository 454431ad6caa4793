// `drill --boot`: the last step of a drill, a server booted from the set.
#pragma once

#include "restore/io.hpp"
#include "restore/options_drill.hpp"
#include "restore/proof/record.hpp"
#include "set/directory.hpp"
#include "set/manifest.hpp"

#include "age/identity.hpp"

#include <span>

namespace rb::restore {

/// Boots the set and says each step on standard error. What failed is in the record, and was told.
[[nodiscard]] proof::BootRecord boot_set(set::Directory& directory,
                                         const set::Manifest& manifest,
                                         std::span<const age::Identity> identities,
                                         const DrillCommand& command,
                                         Io& io);

} // namespace rb::restore
