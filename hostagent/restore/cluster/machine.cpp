#include "restore/cluster/machine.hpp"

#include "base/fd.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

namespace rb::cluster {

namespace {

std::string text_of(int family, const void* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  return ::inet_ntop(family, address, text.data(), static_cast<socklen_t>(text.size())) == nullptr
             ? std::string()
             : std::string(text.data());
}

std::string text_of(const sockaddr* address) {
  if (address == nullptr) {
    return {};
  }
  if (address->sa_family == AF_INET) {
    sockaddr_in four{};
    std::memcpy(&four, address, sizeof four);
    return text_of(AF_INET, &four.sin_addr);
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 six{};
    std::memcpy(&six, address, sizeof six);
    return text_of(AF_INET6, &six.sin6_addr);
  }
  return {};
}

Interface& interface_of(HostNetwork& network, const char* name) {
  const auto found = std::ranges::find(network.interfaces, name, &Interface::name);
  return found == network.interfaces.end() ? network.interfaces.emplace_back(Interface{name, {}})
                                           : *found;
}

} // namespace

bool HostNetwork::has_address(std::string_view canonical) const {
  return std::ranges::any_of(interfaces, [&](const Interface& one) {
    return std::ranges::find(one.addresses, canonical) != one.addresses.end();
  });
}

bool HostNetwork::has_interface(std::string_view name) const {
  return std::ranges::find(interfaces, name, &Interface::name) != interfaces.end();
}

std::string canonical_address(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']')) {
    text = text.substr(1, text.size() - 2);
  }
  const std::string address(text.substr(0, text.find('%')));
  in_addr four{};
  if (::inet_pton(AF_INET, address.c_str(), &four) == 1) {
    return text_of(AF_INET, &four);
  }
  in6_addr six{};
  return ::inet_pton(AF_INET6, address.c_str(), &six) == 1 ? text_of(AF_INET6, &six)
                                                           : std::string();
}

std::string address_in(std::string_view text) {
  if (const std::size_t scheme = text.find("://"); scheme != std::string_view::npos) {
    text.remove_prefix(scheme + 3);
  }
  text = text.substr(0, text.find('/'));
  if (text.starts_with('[')) {
    return canonical_address(text.substr(1, std::min(text.find(']'), text.size()) - 1));
  }
  std::string whole = canonical_address(text);
  return whole.empty() ? canonical_address(text.substr(0, text.find(':'))) : whole;
}

bool is_on_every_host(std::string_view canonical) {
  return canonical.starts_with("127.") || canonical == "::1" || canonical == "0.0.0.0" ||
         canonical == "::";
}

HostNetwork look_at_network() {
  HostNetwork network;
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) {
    network.problem = std::string("the interfaces of this host: ") + std::strerror(errno);
    return network;
  }
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> all(first, &::freeifaddrs);
  for (const ifaddrs* one = all.get(); one != nullptr; one = one->ifa_next) {
    Interface& its = interface_of(network, one->ifa_name);
    if (std::string address = text_of(one->ifa_addr); !address.empty()) {
      its.addresses.push_back(std::move(address));
    }
  }
  return network;
}

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
