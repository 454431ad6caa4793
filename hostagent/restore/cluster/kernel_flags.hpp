// What the kubelet wants of the kernel. Usually it sets that itself; with
// `protect-kernel-defaults`, as k3s's hardening guide has it, it ends where something differs, and
// k3s with it. Private to this room.
#pragma once

#include <string>
#include <vector>

namespace rb::cluster {

struct KernelFlag {
  std::string name;   ///< "vm.overcommit_memory"
  std::string wanted; ///< "1"
  std::string here;   ///< "0"
};

/// Those that differ here; what cannot be read does not.
[[nodiscard]] std::vector<KernelFlag>
kernel_flags_that_differ(const std::string& directory = "/proc/sys");

} // namespace rb::cluster
