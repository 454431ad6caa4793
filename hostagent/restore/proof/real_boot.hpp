// boot() on this host, in earnest.
#pragma once

#include "restore/proof/boot.hpp"
#include "restore/proof/scratch_dir.hpp"

#include <functional>
#include <stop_token>
#include <string>

namespace rb::proof {

/// boot() with a real cage; `scratch` is `input.directory`, and is gone afterwards. Needs root.
/// Errors: those of boot() and of ScratchDir::remove.
[[nodiscard]] Result<BootReport>
boot_here(const BootInput& input,
          ScratchDir& scratch,
          const std::function<void(const std::string& line)>& progress,
          const std::stop_token& stop);

} // namespace rb::proof
