// The layout of a tar file that its reader and its writer share. Private to this room.
// Source: POSIX.1-2017, pax, "ustar Interchange Format".
#pragma once

#include <cstddef>

namespace rb::archive {

inline constexpr std::size_t k_record_bytes = 512;
/// Two records of zeros.
inline constexpr std::size_t k_end_bytes = 2 * k_record_bytes;
/// Of a mode, what is kept: no set-id and no sticky bits.
inline constexpr unsigned k_mode_mask = 0777;

} // namespace rb::archive
