#include "restore/proof/network_setup.hpp"

#include "base/fd.hpp"

#include <arpa/inet.h>
#include <net/if.h>
#include <net/route.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

// Not <linux/sockios.h> and <linux/if_bridge.h>: they clash with <net/if.h> in old releases.
#ifndef SIOCBRADDBR
#define SIOCBRADDBR 0x89a0
#endif

#include <cerrno>
#include <cstring>

namespace rb::proof {

namespace {

constexpr const char* k_loopback = "lo";
constexpr const char* k_loopback_alias = "lo:0";
constexpr const char* k_bridge = "scratch0";
constexpr const char* k_mask = "255.255.255.0";

ifreq request_for(const char* device) {
  ifreq request{};
  std::strncpy(request.ifr_name, device, IFNAMSIZ - 1);
  return request;
}

sockaddr address_of(const char* text) {
  sockaddr_in internet{};
  internet.sin_family = AF_INET;
  ::inet_pton(AF_INET, text, &internet.sin_addr);
  sockaddr general{};
  std::memcpy(&general, &internet, sizeof(internet));
  return general;
}

Error failed(const char* device, const char* what) {
  return system_error(errno, std::string("network of the scratch server: ") + device + ": " + what);
}

Status bring_up(const Fd& socket, const char* device) {
  ifreq request = request_for(device);
  if (::ioctl(socket.get(), SIOCGIFFLAGS, &request) != 0) {
    return failed(device, "flags");
  }
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP | IFF_RUNNING);
  if (::ioctl(socket.get(), SIOCSIFFLAGS, &request) != 0) {
    return failed(device, "cannot be brought up");
  }
  return {};
}

Status give_address(const Fd& socket, const char* device) {
  ifreq request = request_for(device);
  request.ifr_addr = address_of(k_scratch_address);
  if (::ioctl(socket.get(), SIOCSIFADDR, &request) != 0) {
    return failed(device, "takes no address");
  }
  request.ifr_netmask = address_of(k_mask);
  if (::ioctl(socket.get(), SIOCSIFNETMASK, &request) != 0) {
    return failed(device, "takes no mask");
  }
  return {};
}

Status route_by_default(const Fd& socket, const char* device) {
  std::string name = device;
  rtentry route{};
  route.rt_dst = address_of("0.0.0.0");
  route.rt_genmask = address_of("0.0.0.0");
  route.rt_flags = RTF_UP;
  route.rt_dev = name.data();
  if (::ioctl(socket.get(), SIOCADDRT, &route) != 0) {
    return failed(device, "takes no default route");
  }
  return {};
}

} // namespace

Status set_up_network() {
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) {
    return failed("socket", "cannot be made");
  }
  RB_TRY(bring_up(socket, k_loopback));
  const bool bridged = ::ioctl(socket.get(), SIOCBRADDBR, k_bridge) == 0;
  const char* const device = bridged ? k_bridge : k_loopback_alias;
  RB_TRY(give_address(socket, device));
  RB_TRY(bring_up(socket, device));
  return route_by_default(socket, bridged ? k_bridge : k_loopback);
}

} // namespace rb::proof
