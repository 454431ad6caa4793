// The interfaces of this host and their addresses: what the configuration of a k3s server is held
// against.
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

} // namespace rb::cluster
