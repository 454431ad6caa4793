// The network of a scratch server, in a namespace of its own: an address that is not a loopback's
// and a default route, as k3s wants them, and nothing that leads anywhere.
#pragma once

#include "base/result.hpp"

#include <string>

namespace rb::proof {

/// Of the scratch server's node. RFC 2544 keeps the range for tests of networks: no cluster has it.
inline constexpr const char* k_scratch_address = "198.18.255.1";

/// Acts on the network namespace of the calling process; needs CAP_NET_ADMIN there. No program
/// (`ip`) is needed: ioctl(2). Where the kernel has no bridge, the address goes onto the loopback
/// device. Errors: permission_denied, io.
[[nodiscard]] Status set_up_network();

} // namespace rb::proof
