// `.last-drill` as those read it who only want to know when a drill was and what came of it. The
// drill itself writes it (hostagent/restore/proof/record.hpp); schema: docs/artifact-format.md.
#pragma once

#include "base/clock.hpp"
#include "set/directory.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace rb::set {

inline constexpr std::string_view k_last_drill_schema = "railiance.io/last-drill/v1";

struct LastDrill {
  std::string run_id; ///< Empty when there was no set.
  SystemTime time{};  ///< End of the drill.
  std::string result; ///< "Passed", "Incomplete", "NothingToRestore", "NoIdentity", "Damaged",
                      ///< "Failed".
  std::string message;
  std::chrono::milliseconds duration{0};
  bool booted = false; ///< A server was booted from the set.

  bool operator==(const LastDrill&) const = default;
};

/// Unknown fields are skipped. Errors: corrupt, unsupported (another schema).
[[nodiscard]] Result<LastDrill> parse_last_drill(std::string_view text);

/// Nothing when there was no drill. Errors: corrupt, unsupported, those of Fs.
[[nodiscard]] Result<std::optional<LastDrill>> read_last_drill(Directory& directory);

} // namespace rb::set
