// BackupStatus as the API server serves it: the one standing object of our API.
#pragma once

#include "kube/resource.hpp"

namespace rb::kube {

inline constexpr ResourceType k_backup_statuses{
    "backup.railiance.io", "v1alpha1", "backupstatuses", false, false};

} // namespace rb::kube
