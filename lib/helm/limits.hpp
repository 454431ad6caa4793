// Bounds on what a stored release may make us do.
#pragma once

#include <cstddef>

namespace rb::helm {

/// The API server keeps an object's data below 1 MiB (validation of Secret and ConfigMap), so real
/// releases are far from these; a record made to exhaust us is not.
struct Limits {
  std::size_t max_stored_bytes = std::size_t{4} << 20U; ///< As it comes from the API.
  std::size_t max_json_bytes = std::size_t{32} << 20U;  ///< Decompressed.
  std::size_t max_ratio = 200;                          ///< As in archive::GzipLimits.
  std::size_t ratio_floor_bytes = std::size_t{16} << 20U;
  std::size_t max_depth = 1000;     ///< Of objects and lists in the values.
  std::size_t max_values = 200'000; ///< Of scalars, objects and lists in the values.
};

} // namespace rb::helm
