// An off-site copy as the commands use it.
#pragma once

#include "offsite/rclone.hpp"
#include "restore/io.hpp"
#include "restore/options.hpp"

#include "base/process.hpp"

#include <memory>

namespace rb::restore {

struct RemoteHandle {
  explicit RemoteHandle(offsite::RcloneSettings settings) : store(processes, std::move(settings)) {}

  RealProcessRunner processes;
  offsite::RcloneStore store;
};

/// The remote of the options. Errors: not_found (rclone), invalid_argument.
[[nodiscard]] Result<std::unique_ptr<RemoteHandle>> open_store(const RemoteOptions& options,
                                                               const Io& io);

} // namespace rb::restore
