#include "set/restore_guide.hpp"

#include <algorithm>

namespace rb::set {

namespace {

constexpr const char* k_url = "https://ADDRESS:6443";

/// "https://192.0.2.11:6443"; without a known address words for one.
std::string url_of(const std::string& address) {
  if (address.empty()) {
    return k_url;
  }
  const bool six = address.find(':') != std::string::npos;
  return six ? "https://[" + address + "]:6443" : "https://" + address + ":6443";
}

/// Of the server that the set was made on, as the list of servers has it: whatever else is in the
/// manifest is free text.
std::string address_of_maker(const Manifest& manifest) {
  const auto found =
      std::ranges::find(manifest.servers, manifest.node_name, &api::ServerEntry::node_name);
  return found == manifest.servers.end() ? std::string() : found->address;
}

std::string list_of(const Manifest& manifest) {
  std::string list;
  for (const api::ServerEntry& server : manifest.servers) {
    list += "- `" + server.node_name + "`" +
            (server.address.empty() ? "" : " at `" + server.address + "`") +
            (server.node_name == manifest.node_name ? ", which made this set" : "") + "\n";
  }
  return list;
}

} // namespace

std::vector<std::string>
rejoin_by_hand(const std::string& data_dir, const std::string& config_dir, const std::string& url) {
  const std::string etcd = shell_word(data_dir + "/server/db/etcd");
  const std::string drop_ins = config_dir + "/k3s/config.yaml.d";
  const std::string drop_in = shell_word(drop_ins + "/zz-rejoin.yaml");
  return {"systemctl stop k3s",
          "mv " + etcd + " " + shell_word(data_dir + "/server/db/etcd-before"),
          "mkdir -p " + shell_word(drop_ins),
          "echo 'server: " + url + "' >" + drop_in,
          "grep -qs '^token' " + shell_word(config_dir + "/k3s/config.yaml") + " || echo " +
              shell_word("token-file: " + data_dir + "/server/token") + " >>" + drop_in,
          "systemctl start k3s"};
}

std::string other_servers_section(const Manifest& manifest, const GuideFacts& facts) {
  if (manifest.snapshot && manifest.snapshot->kind != api::DatastoreKind::etcd) {
    return {};
  }
  const std::string url = url_of(address_of_maker(manifest));
  const std::string address = url == k_url ? " `ADDRESS` is that of the restored server."
                                           : " The address is that of this node; restored "
                                             "elsewhere, say that one.";
  std::string text = "## The other servers (HA)\n";
  if (!manifest.servers.empty()) {
    text += "The cluster had these servers:\n\n" + list_of(manifest) + "\n";
  }
  text += "Where there is more than one: stop k3s on **all** of them before step 3, restore on one "
          "(our command: `--single-server`), and let the others\n"
          "come back one after the other. A server that keeps its old database never joins: it "
          "repeats `cluster ID mismatch` for ever." +
          address +
          "\nOn each other one:\n\n```text\nrailiance-restore rejoin -i "
          "~/.config/sops/age/keys.txt --backup-dir " +
          shell_word(facts.backup_dir) + " --server " + url +
          "\n```\n\nOr there by hand. `db/snapshots` stays; on an empty disk put `server/token` of "
          "the host state there first (step 4, that file alone):\n\n```text\n";
  for (const std::string& line : rejoin_by_hand(facts.data_dir, facts.config_dir, url)) {
    text += line + "\n";
  }
  return text +
         "```\n\nIt is done when `k3s kubectl get nodes` lists it as Ready. If k3s says "
         "`Node password rejected`: on the restored server\n`k3s kubectl -n kube-system "
         "delete secret NODE.node-password.k3s`.\nIf it says `newer than datastore`: stop it, "
         "move the files that it names aside, and start it again: they come from the restored "
         "server.\nWhere the unit of k3s says `--server` itself (k3s-ansible writes it there), "
         "change it there: it goes before every file. A server without etcd\n(`disable-etcd`) "
         "is only started again, once the one that its `server:` names answers.\n\n";
}

} // namespace rb::set
