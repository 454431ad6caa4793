// metav1.MicroTime, which the API server takes only with six digits after the second.
#pragma once

#include "base/clock.hpp"

#include <string>

namespace rb::kube {

/// "2026-11-22T11:52:16.000042Z"; `micros` is taken modulo one million.
[[nodiscard]] std::string format_micro_time(SystemTime time, std::int64_t micros = 0);

} // namespace rb::kube
