// This host below k3s, as the configuration of a server is held against it: its interfaces and
// their addresses, and what the kubelet wants of the kernel.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rb::cluster {

struct Interface {
  std::string name;
  std::vector<std::string> addresses; ///< As canonical_address() writes them.
};

struct HostNetwork {
  std::vector<Interface> interfaces;
  std::string problem; ///< Why they are not known.

  [[nodiscard]] bool has_address(std::string_view canonical) const;
  [[nodiscard]] bool has_interface(std::string_view name) const;
};

/// The one spelling of an IP address ("2001:db8::1"); empty for what is none. Brackets and the zone
/// of a link-local address are left out.
[[nodiscard]] std::string canonical_address(std::string_view text);

/// "https://[2001:db8::1]:2380" -> "2001:db8::1"; also of an address alone, or with a port. Empty
/// where a name stands there.
[[nodiscard]] std::string address_in(std::string_view text);

/// Loopback, or the address that stands for all of them; `canonical` is an address.
[[nodiscard]] bool is_on_every_host(std::string_view canonical);

[[nodiscard]] HostNetwork look_at_network();

/// Usually the kubelet sets them itself; with `protect-kernel-defaults`, as k3s's hardening guide
/// has it, it ends where something differs, and k3s with it.
struct KernelFlag {
  std::string name;   ///< "vm.overcommit_memory"
  std::string wanted; ///< "1"
  std::string here;   ///< "0"
};

/// Those that differ here; what cannot be read does not.
[[nodiscard]] std::vector<KernelFlag>
kernel_flags_that_differ(const std::string& directory = "/proc/sys");

} // namespace rb::cluster
