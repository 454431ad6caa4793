// Bounds on what a stored release may make us do, and on what the artifact may hold. The one
// definition: what writes the artifact and what reads it hold to the same numbers.
#pragma once

#include "archive/tar_gz.hpp"

#include <cstddef>

namespace rb::helm {

/// The API server keeps an object's data below 1 MiB (validation of Secret and ConfigMap), so real
/// releases are far from these; a record made to exhaust us is not. What passes one of them is odd:
/// it is kept as it was stored.
struct Limits {
  std::size_t max_stored_bytes = std::size_t{4} << 20U; ///< As it comes from the API.
  std::size_t max_json_bytes = std::size_t{32} << 20U;  ///< Decompressed.
  std::size_t max_ratio = 200;                          ///< As in archive::GzipLimits.
  std::size_t ratio_floor_bytes = std::size_t{16} << 20U;
  std::size_t max_config_bytes = std::size_t{8} << 20U; ///< Of the values, as JSON.
  std::size_t max_yaml_bytes = std::size_t{8} << 20U;   ///< Of the values, as YAML.
  /// Of objects and lists in the values. yaml-cpp takes 500 levels, and others take fewer.
  std::size_t max_depth = 400;
  std::size_t max_values = 200'000; ///< Of scalars, objects and lists in the values.
  std::size_t max_text_bytes = 512; ///< Of each text about a release: chart, version, status, …
};

/// How much of a cluster's releases is held in memory, counted as it will stand in the archive.
/// Packing it takes three times as much again where nothing compresses, and decoding one release
/// 120 MiB at most: below the 256 MiB that the chart gives the controller.
struct Budget {
  std::size_t bytes = std::size_t{40} << 20U;
};

/// Of the archive. No ratio: what compresses well is not damaged.
inline constexpr archive::Limits k_archive_limits{};
static_assert(Budget{}.bytes < k_archive_limits.max_entry_bytes &&
              Budget{}.bytes < k_archive_limits.gzip.max_bytes);

} // namespace rb::helm
