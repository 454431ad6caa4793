// What controller and agent both know of the ConfigMaps that carry the encrypted Helm payload of a
// run.
#pragma once

#include <cstdint>
#include <string_view>

namespace rb::api {

/// Followed by the uid of the ClusterBackup, a dash and the number of the piece.
inline constexpr std::string_view k_payload_name_prefix = "railiance-backup-payload-";

/// Of all pieces together: more is neither written nor taken.
inline constexpr std::uint64_t k_payload_limit_bytes = std::uint64_t{64} << 20U;

} // namespace rb::api
