// What must hold before a scratch server is started.
#pragma once

#include "objects/contents.hpp"
#include "restore/proof/boot.hpp"

namespace rb::proof {

/// Errors: unavailable, when the scratch server could cost the running one its memory.
[[nodiscard]] Status check_memory(const BootPorts& ports);

/// The snapshot is that of the manifest, by revision and by objects of each kind. Errors: corrupt.
[[nodiscard]] Status check_expected(const BootInput& input, const objects::Contents& contents);

} // namespace rb::proof
