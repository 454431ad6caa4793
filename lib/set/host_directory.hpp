// Where the sets of this host are, for commands to which nobody says it.
#pragma once

#include "set/directory.hpp"

#include <string>
#include <string_view>

namespace rb::set {

/// Where the sets are when nobody says where.
inline constexpr std::string_view k_usual_directory = "/opt/backup/railiance/cluster";

/// Among what the agent keeps on its host: a line with the backup directory, for the commands
/// there.
inline constexpr std::string_view k_noted_directory_name = "backup-directory";

/// Writes it where it says something else. Errors: those of Fs.
[[nodiscard]] Status note_directory(Directory& kept, const std::string& backup_dir);

/// The directory that `note` names, else the usual one. One that is not there counts only where the
/// usual one is not there, either.
[[nodiscard]] std::string directory_of_host(const std::string& note);

} // namespace rb::set
