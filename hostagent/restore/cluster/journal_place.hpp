// In which data directory the last restore left its journal, kept at a fixed place. A bare host
// learns its data directory from the set; without this, only that set would lead back to it.
#pragma once

#include "base/result.hpp"

#include <string>

namespace rb::cluster {

/// k3s's own default. A restore there is found without being remembered.
inline constexpr const char* k_usual_data_dir = "/var/lib/rancher/k3s";

/// Beside k3s's usual data directory; a file of mode 0600 with one path.
inline constexpr const char* k_place_file = "/var/lib/rancher/railiance-restore.place";

/// Notes that the journal is below `data_dir` (absolute), durably. Errors: no_space, io.
[[nodiscard]] Status remember_place(const std::string& data_dir,
                                    const std::string& file = k_place_file);

/// Notes `before` again, or nothing where that is empty. Errors: those of the system.
[[nodiscard]] Status forget_place(const std::string& before = {},
                                  const std::string& file = k_place_file);

/// The data directory that was noted last; empty where none was, or none that can be.
[[nodiscard]] std::string remembered_place(const std::string& file = k_place_file);

} // namespace rb::cluster
