// What is left to do after a restore of one server: a command for each other one, and how it is
// done with k3s alone.
#include "restore/cluster/machine.hpp"
#include "restore/cluster/rejoin.hpp"
#include "set/restore_guide.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace rb::cluster {

namespace {

using set::shell_word;

/// k3s takes the first of several, which stand in one value or in several.
std::string node_address(const ServerSettings& settings) {
  const std::vector<std::string> values = settings.values("node-ip");
  return values.empty() ? std::string()
                        : canonical_address(values.front().substr(0, values.front().find(',')));
}

/// Made on a host by what runs there: nobody reaches a server by it.
bool is_of_containers(std::string_view interface) {
  constexpr std::array<std::string_view, 9> k_prefixes{
      "cni", "flannel", "docker", "br-", "virbr", "veth", "cali", "kube-", "nodelocaldns"};
  return std::ranges::any_of(
      k_prefixes, [&](std::string_view prefix) { return interface.starts_with(prefix); });
}

/// The only one of the family that has one, the older family first.
std::string only_address(const HostNetwork& network) {
  for (const bool six : {false, true}) {
    std::vector<std::string> all;
    for (const Interface& one : network.interfaces) {
      std::ranges::copy_if(one.addresses, std::back_inserter(all), [&](const std::string& its) {
        return six == (its.find(':') != std::string::npos) && !is_on_every_host(its) &&
               !its.starts_with("fe80:") && !is_of_containers(one.name);
      });
    }
    if (!all.empty()) {
      return all.size() == 1 ? all.front() : std::string();
    }
  }
  return {};
}

/// Where others reach this host: the address that k3s is told, or that by which the cluster knew it
/// and that is here, or the only one there is.
std::string url_here(const std::vector<api::ServerEntry>& servers, const ObservedHost& host) {
  std::string address = node_address(host.settings);
  for (const api::ServerEntry& server : servers) {
    const std::string known = canonical_address(server.address);
    if (address.empty() && host.network.has_address(known)) {
      address = known;
    }
  }
  if (address.empty()) {
    address = only_address(host.network);
  }
  const std::string port = host.settings.value("https-listen-port");
  return address.empty() ? std::string() : url_of(address, port.empty() ? "6443" : port);
}

bool is_here(const api::ServerEntry& server, const ObservedHost& host, const RejoinLines& with) {
  return host.network.has_address(canonical_address(server.address)) ||
         (!with.node_name.empty() && with.node_name == server.node_name);
}

std::string command_for(const RejoinLines& with, const std::string& url) {
  std::string line = "railiance-restore rejoin";
  line += with.identity_file.empty() ? "" : " -i " + shell_word(with.identity_file);
  line += " --backup-dir " + shell_word(with.backup_dir);
  line += url.empty() ? "" : " --server " + url;
  return line;
}

} // namespace

std::vector<std::string> rejoin_lines(const std::vector<api::ServerEntry>& servers,
                                      const ObservedHost& host,
                                      const RejoinLines& with) {
  const std::string url = url_here(servers, host);
  std::vector<std::string> lines;
  for (const api::ServerEntry& server : servers) {
    if (!is_here(server, host, with)) {
      lines.push_back("  on " + server.node_name +
                      (server.address.empty() ? "" : " (" + server.address + ")") + ": " +
                      command_for(with, url));
    }
  }
  if (lines.empty()) {
    return lines;
  }
  lines.insert(lines.begin(),
               "the other servers have the database of before; let them rejoin, one after the "
               "other:");
  lines.emplace_back("  or there, with nothing but k3s:");
  for (const std::string& line : set::rejoin_by_hand(
           with.data_dir, "/etc/rancher", url.empty() ? "https://ADDRESS:6443" : url)) {
    lines.push_back("    " + line);
  }
  return lines;
}

} // namespace rb::cluster
