// gzip from a stranger: never more than the limit, and what comes out is packed and unpacked alike.
#include "archive/gzip.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

using namespace rb;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr archive::GzipLimits k_limits{
      .max_bytes = 1U << 20U, .max_ratio = 100, .ratio_floor_bytes = 1U << 16U};
  const auto plain = archive::gunzip({data, size}, k_limits);
  if (!plain) {
    return 0;
  }
  const std::size_t most =
      std::min(k_limits.max_bytes, std::max(k_limits.ratio_floor_bytes, size * k_limits.max_ratio));
  const auto packed = archive::gzip(plain->view());
  const auto again = archive::gunzip(packed->view());
  if (plain->size() > most || !again || again->text() != plain->text()) {
    std::abort();
  }
  return 0;
}
