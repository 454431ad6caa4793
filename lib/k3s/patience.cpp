#include "k3s/patience.hpp"

namespace rb::k3s {

std::chrono::seconds patience_for(std::uint64_t datastore_bytes, std::chrono::seconds usual) {
  constexpr std::uint64_t k_bytes_a_second = std::uint64_t{4} << 20U;
  return usual + std::chrono::seconds(datastore_bytes / k_bytes_a_second);
}

} // namespace rb::k3s
