#include "kube/micro_time.hpp"

#include <cstdint>

namespace rb::kube {

std::string format_micro_time(SystemTime time, std::int64_t micros) {
  constexpr std::int64_t million = 1'000'000;
  const std::string digits = std::to_string(million + (micros % million + million) % million);
  std::string text = format_rfc3339(time);
  text.pop_back(); // the Z
  return text + "." + digits.substr(1) + "Z";
}

} // namespace rb::kube
