// What a rejoin is decided on, as it is found: this host, and what each server answers.
#include "k3s/etcd_members.hpp"
#include "restore/cluster/file_changes.hpp"
#include "restore/cluster/journal.hpp"
#include "restore/cluster/observe.hpp"
#include "restore/cluster/rejoin.hpp"
#include "restore/cluster/server_access.hpp"

namespace rb::cluster {

namespace {

/// When a restore of this host ended well that began after the set was made; empty: there is none.
std::string restored_since(const std::string& data_dir, SystemTime made) {
  const auto journal = Journal(work_dir_in(data_dir)).load();
  if (!journal || !*journal || (*journal)->plan.joining || (*journal)->phase != Phase::done) {
    return {};
  }
  // Both are of one form, in UTC: their order is that of their text.
  return (*journal)->started >= format_rfc3339(made) ? (*journal)->started : std::string();
}

} // namespace

RejoinFacts look_for_rejoin(Host& host, const RejoinLook& look, const std::stop_token& stop) {
  RejoinFacts facts;
  facts.host = host.observed;
  facts.set = look.opened.facts;
  const std::string& data_dir = facts.host.data_dir;
  facts.node_name = node_name_of(facts.host.settings);
  facts.member_name = k3s::member_name_in(data_dir);
  facts.node_password = exists(k3s::k_node_password);
  facts.restored = restored_since(data_dir, look.set_time);
  facts.stop_command = host.typed_command(look.hints, "stop");
  facts.start_command = host.typed_command(look.hints, "start");
  facts.servers = servers_to_ask(facts.host, facts.set, look.wishes);
  const auto access =
      ServerAccess::make(facts.host.k3s_program,
                         look.opened.host_state ? &*look.opened.host_state : nullptr,
                         data_dir,
                         look.access_file,
                         look.now);
  if (!access) {
    facts.access_problem = access.error().message;
    return facts;
  }
  const auto ask = [&](const std::string& url) {
    return ask_server(host.processes, access->access(), url, stop);
  };
  for (ServerAnswer& server : facts.servers) {
    const std::string name = server.node_name;
    server = ask(server.api_url);
    server.node_name = name;
  }
  if (facts.host.service == k3s::ServiceState::active || !facts.host.servers.empty()) {
    const std::string port = facts.host.settings.value("https-listen-port");
    facts.here = ask(url_of("127.0.0.1", port.empty() ? "6443" : port));
    facts.here->node_name = "this host";
  }
  return facts;
}

} // namespace rb::cluster
