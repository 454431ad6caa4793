#include "restore/cluster/kernel_flags.hpp"

#include "base/fd.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace rb::cluster {

namespace {

constexpr std::size_t k_limit_bytes = 4096;

/// Source: Kubernetes, setupKernelTunables (pkg/kubelet/cm/container_manager_linux.go).
constexpr std::array<std::pair<const char*, const char*>, 6> k_wanted{
    {{"vm.overcommit_memory", "1"},
     {"vm.panic_on_oom", "0"},
     {"kernel.panic", "10"},
     {"kernel.panic_on_oops", "1"},
     {"kernel.keys.root_maxkeys", "1000000"},
     {"kernel.keys.root_maxbytes", "25000000"}}};

} // namespace

std::vector<KernelFlag> kernel_flags_that_differ(const std::string& directory) {
  std::vector<KernelFlag> differing;
  for (const auto& [name, wanted] : k_wanted) {
    std::string path = name;
    std::ranges::replace(path, '.', '/');
    auto here = read_text_file(directory + "/" + path, k_limit_bytes);
    if (!here) {
      continue;
    }
    here->erase(here->find_last_not_of(" \n") + 1);
    if (*here != wanted) {
      differing.push_back({name, wanted, *here});
    }
  }
  return differing;
}

} // namespace rb::cluster
