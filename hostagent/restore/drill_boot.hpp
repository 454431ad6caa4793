// `drill --boot`: the last step of a drill, a server booted from the set.
#pragma once

#include "drill/record.hpp"
#include "restore/io.hpp"
#include "restore/options_drill.hpp"

#include "age/identity.hpp"
#include "artifact/directory.hpp"
#include "artifact/manifest.hpp"

#include <span>

namespace rb::restore {

/// Boots the set and says each step on standard error. What failed is in the record, and was told.
[[nodiscard]] drill::BootRecord boot_set(artifact::Directory& directory,
                                         const artifact::Manifest& manifest,
                                         std::span<const age::Identity> identities,
                                         const DrillCommand& command,
                                         Io& io);

} // namespace rb::restore
