// Which build a program is. RB_VERSION, the version alone, is known to all code; the commit only to
// version.cpp, so that another commit compiles one file.
#pragma once

#include <string>
#include <string_view>

namespace rb {

/// The commit that this was compiled from, with "-dirty" where files differed from it. Empty where
/// the build was not told (the CMake variable RB_COMMIT).
[[nodiscard]] std::string_view commit();

/// What --version prints: "PROGRAM 0.1.0 (commit 1a2b3c4d5e6f)", without a commit "PROGRAM 0.1.0".
[[nodiscard]] std::string version_line(std::string_view program, std::string_view of = commit());

} // namespace rb
