// What is left to do after a restore of one server: a command for each other one, and how it is
// done with k3s alone.
#include "restore/cluster/host_network.hpp"
#include "restore/cluster/rejoin.hpp"
#include "set/other_servers.hpp"

#include <algorithm>
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

/// Where others reach this host: the address that k3s is told, or the only one there is.
std::string url_here(const ObservedHost& host) {
  std::string address = node_address(host.settings);
  std::vector<std::string> all;
  for (const Interface& one : host.network.interfaces) {
    std::ranges::copy_if(one.addresses, std::back_inserter(all), [](const std::string& its) {
      return !is_on_every_host(its) && !its.starts_with("fe80:");
    });
  }
  if (address.empty() && all.size() == 1) {
    address = all.front();
  }
  const std::string port = host.settings.value("https-listen-port");
  return address.empty() ? std::string() : url_of(address, port.empty() ? "6443" : port);
}

bool is_here(const api::ServerEntry& server, const ObservedHost& host) {
  return host.network.has_address(canonical_address(server.address)) ||
         host.settings.value("node-name") == server.node_name;
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
  const std::string url = url_here(host);
  std::vector<std::string> lines;
  for (const api::ServerEntry& server : servers) {
    if (!is_here(server, host)) {
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
