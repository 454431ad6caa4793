// Words for people: counts and sizes in messages.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rb::controller {

/// "1 release", "27 releases".
[[nodiscard]] std::string count_of(std::uint64_t count, std::string_view noun);

/// "512 B", "1.5 MiB".
[[nodiscard]] std::string size_of_bytes(std::uint64_t bytes);

} // namespace rb::controller
