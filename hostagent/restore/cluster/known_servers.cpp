#include "restore/cluster/known_servers.hpp"

#include "k3s/etcd_members.hpp"
#include "restore/cluster/host_network.hpp"
#include "terminal/terminal_text.hpp"

#include <algorithm>

namespace rb::cluster {

void add_members(const std::vector<datastore::Member>& members,
                 std::vector<api::ServerEntry>& servers) {
  for (const datastore::Member& member : members) {
    const std::string address = terminal_text(address_in(member.peer_url));
    const std::string name = k3s::node_of_member(member.name);
    const auto known = std::ranges::find_if(servers, [&](const api::ServerEntry& one) {
      return one.node_name == name || canonical_address(one.address) == address;
    });
    if (address.empty()) {
      continue;
    }
    if (known == servers.end() && servers.size() < api::k_servers_limit) {
      servers.push_back({name, address, {}});
    } else if (known != servers.end() && known->address.empty()) {
      known->address = address;
    }
  }
}

} // namespace rb::cluster
