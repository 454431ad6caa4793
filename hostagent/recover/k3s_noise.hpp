// Lines that k3s writes whatever it does: none of them is the reason of anything.
#pragma once

#include <string_view>

namespace rb::recover {

/// One line of k3s's output, as it stands there.
[[nodiscard]] bool is_k3s_noise(std::string_view line);

} // namespace rb::recover
