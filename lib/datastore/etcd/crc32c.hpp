// CRC-32C (Castagnoli, RFC 3720 appendix B.4), the `hash` of `etcdutl snapshot status`.
// Private to this room.
#pragma once

#include "base/bytes.hpp"

#include <cstdint>

namespace rb::etcd {

class Crc32c {
public:
  void update(ByteView bytes);
  [[nodiscard]] std::uint32_t value() const { return ~m_state; }

private:
  std::uint32_t m_state = ~std::uint32_t{0};
};

} // namespace rb::etcd
