// Collects the files that a server's settings name, and those that these name in turn.
#pragma once

#include "agent/file_collector.hpp"
#include "agent/mounted_files.hpp"
#include "k3s/host_settings.hpp"

#include <string>

namespace rb::agent {

/// What is named and not taken stands in files.skipped() with the reason: not there, not to be seen
/// from here, a directory of too much, a device. What an operator puts into the data directory is
/// taken, too.
void add_named_files(FileCollector& files,
                     const MountedFiles& mounted,
                     const k3s::HostSettings& host,
                     const std::string& data_dir);

} // namespace rb::agent
