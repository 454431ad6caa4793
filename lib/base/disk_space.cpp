#include "base/disk_space.hpp"

#include <algorithm>
#include <limits>

namespace rb {

Space space_of(const struct statvfs& status) {
  constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
  const std::uint64_t unit = std::max<std::uint64_t>(status.f_frsize, 1);
  const auto bytes = [&](std::uint64_t blocks) {
    return blocks > most / unit ? most : blocks * unit;
  };
  return {bytes(status.f_bavail), bytes(status.f_blocks)};
}

} // namespace rb
