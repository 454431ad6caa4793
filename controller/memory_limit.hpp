// How much memory this process may take, and what of it the Helm releases may.
#pragma once

#include "helm/limits.hpp"

#include <cstddef>
#include <optional>
#include <string>

namespace rb::controller {

/// The chart's controller.resources.limits.memory: what is assumed where no limit is to be found.
inline constexpr std::size_t k_default_memory_bytes = std::size_t{256} << 20U;

/// The releases are held once as they are, once as the archive and once encrypted, beside pages and
/// the release that is being decoded: some 100 MiB.
inline constexpr std::size_t k_inventory_share = 5;

/// The limit of our control group (version 2, then 1); nothing where there is none.
[[nodiscard]] std::optional<std::size_t>
memory_limit(const std::string& cgroup_root = "/sys/fs/cgroup");

/// A share of the limit, and never more than an artifact may hold.
[[nodiscard]] helm::Budget inventory_budget(std::optional<std::size_t> limit);

} // namespace rb::controller
