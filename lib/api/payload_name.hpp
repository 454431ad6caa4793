// The names of the ConfigMaps that carry the encrypted Helm payload of a run.
#pragma once

#include <string_view>

namespace rb::api {

/// Followed by the uid of the ClusterBackup, a dash and the number of the piece.
inline constexpr std::string_view k_payload_name_prefix = "railiance-backup-payload-";

} // namespace rb::api
