// Whether a run would fit on the disk, before k3s is asked for a snapshot: k3s itself says nothing
// when its disk is full.
#pragma once

#include "agent/failure.hpp"
#include "set/directory.hpp"

#include <cstdint>
#include <string>

namespace rb::agent {

/// Size of etcd's database file: a snapshot is a copy of it. 0 when it is not there.
[[nodiscard]] std::uint64_t etcd_database_bytes(const std::string& data_dir);

/// `database_bytes` are needed in `snapshot_dir` (or the nearest directory above it that exists)
/// and about as many in the backup directory: twice, when both are on one file system. Without a
/// database size, `expected_bytes` are needed in the backup directory. Reason: storage_full.
[[nodiscard]] StepFailure check_space(set::Directory& directory,
                                      const std::string& snapshot_dir,
                                      std::uint64_t database_bytes,
                                      std::uint64_t expected_bytes);

} // namespace rb::agent
