// The mark that a run was begun for a ClusterBackup. The status says so, too; but backups of
// objects (Velero) and exports leave the status out and keep annotations, so the mark tells a
// request that came back from a new one, which would be carried out.
#pragma once

#include "api/backup.hpp"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace rb::api {

/// Its value is NAME/RUNID: a copy of the object under another name is a request of its own.
inline constexpr std::string_view k_run_annotation = "backup.railiance.io/run";

/// The reason of Succeeded where a request came back. It is none of a run, and no agent reports it.
inline constexpr std::string_view k_not_repeated = "NotRepeated";

/// The id of the run that was begun by what the mark says; nothing without a mark for that name.
[[nodiscard]] std::optional<std::string> marked_run(const ObjectMeta& meta);

/// A run was begun, and the status that told of it is lost.
[[nodiscard]] bool came_back(const ClusterBackup& backup);

/// It came back, and has ended without a run.
[[nodiscard]] bool is_not_repeated(const ClusterBackup& backup);

/// A merge patch that puts the mark on the object with that uid.
[[nodiscard]] nlohmann::json
run_mark(const std::string& name, const std::string& uid, const std::string& run_id);

} // namespace rb::api
