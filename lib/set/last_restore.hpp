// `.last-restore`: which set the cluster was last restored from. Retention keeps that set, and the
// agent and the operator can tell after what the cluster's state goes back in time.
#pragma once

#include "base/clock.hpp"
#include "set/directory.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace rb::set {

struct LastRestore {
  std::string run_id; ///< Of the set that was restored.
  SystemTime time{};  ///< When the restore ended.

  bool operator==(const LastRestore&) const = default;
};

/// JSON with a final newline: schema, runID, time.
[[nodiscard]] std::string serialize(const LastRestore& restore);

/// Unknown fields are skipped. Errors: corrupt, unsupported (another schema).
[[nodiscard]] Result<LastRestore> parse_last_restore(std::string_view text);

/// Replaces the marker in one durable step. Call it under the DirectoryLock, once the restored
/// server is up. Errors: invalid_argument (not a run id), those of replace_file.
[[nodiscard]] Status
write_last_restore(Directory& directory, std::string_view run_id, SystemTime now);

/// Nothing when no set was ever restored. Errors: corrupt, unsupported, those of Fs.
[[nodiscard]] Result<std::optional<LastRestore>> read_last_restore(Directory& directory);

} // namespace rb::set
