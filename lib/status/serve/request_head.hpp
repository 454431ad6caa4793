// What a client has asked for, from the bytes that have come so far. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace rb::status {

enum class HeadState {
  more_wanted, ///< The empty line has not come yet.
  whole,
  too_long, ///< No empty line within the limit.
  not_http,
};

struct RequestHead {
  HeadState state = HeadState::more_wanted;
  std::string method{}; // NOLINT(readability-redundant-member-init)
  std::string path{};   ///< Without what follows a '?'. NOLINT(readability-redundant-member-init)
};

/// Header fields are passed over; what follows the empty line is not looked at.
[[nodiscard]] RequestHead read_head(std::string_view received, std::size_t limit_bytes);

} // namespace rb::status
