// Whether a test can use IPv6 on this machine: kernels without it are many, in containers most.
#pragma once

#include "base/fd.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace rb::test {

/// True where [::1] can be listened on.
inline bool has_ipv6_loopback() {
  const Fd socket(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in6 where{};
  where.sin6_family = AF_INET6;
  where.sin6_addr = in6addr_loopback;
  return socket.valid() &&
         ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0;
}

/// True where "::1" is also an address for programs that ask for addresses of such families alone
/// as the host's network has (AI_ADDRCONFIG): [::1] itself doesn't count for that.
inline bool resolves_ipv6() {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  if (!has_ipv6_loopback() || ::getaddrinfo("::1", "1", &wanted, &found) != 0) {
    return false;
  }
  ::freeaddrinfo(found);
  return true;
}

} // namespace rb::test
