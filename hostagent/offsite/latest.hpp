// Which set "latest" means, of those that lie off-site.
#pragma once

#include "artifact/sets.hpp"

#include <string>
#include <vector>

namespace rb::offsite {

struct PassedOver {
  std::string run_id;
  std::string why; ///< "its proof failed: the scratch server: …"
};

struct Latest {
  const artifact::BackupSet* set = nullptr; ///< One of those given; null: none is complete.
  std::vector<PassedOver> passed_over;      ///< Complete and newer, but not good; newest first.
};

/// The newest good set. Where there is none, the newest complete one whose proof did not fail; else
/// the newest complete one. `sets` newest first. Pure.
[[nodiscard]] Latest choose_latest(const std::vector<artifact::BackupSet>& sets);

} // namespace rb::offsite
