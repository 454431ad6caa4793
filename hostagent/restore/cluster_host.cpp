#include "restore/cluster_host.hpp"

namespace rb::restore {

Status
look_at_host(ClusterHost& host, const RestoreCommand& command, const cluster::OpenedSet* opened) {
  host.hints.k3s_program = command.k3s_program;
  host.hints.data_dir = command.data_dir;
  host.hints.commands = {
      command.start_command, command.stop_command, command.status_command, command.log_command};
  host.settings = k3s::read_host_settings(cluster::DiskView());
  // What is not put back says nothing of this host.
  const bool state = opened != nullptr && opened->host_state.has_value() && !command.keep_config;
  RB_TRY_ASSIGN(
      host.manager,
      cluster::find_service_manager(
          host.processes, host.hints, host.settings, state ? &*opened->host_settings : nullptr));
  host.observed = cluster::observe_host(host.processes,
                                        host.servers,
                                        host.manager.get(),
                                        host.hints,
                                        host.settings,
                                        state ? &*opened->host_state : nullptr);
  return {};
}

std::string
typed_command(const ClusterHost& host, const RestoreCommand& command, const std::string& verb) {
  const std::string& given = verb == "start" ? command.start_command : command.stop_command;
  if (!given.empty()) {
    return given;
  }
  if (host.observed.manager.starts_with("OpenRC service ")) {
    return "rc-service " + host.observed.manager.substr(15) + " " + verb;
  }
  const std::string unit =
      host.observed.manager.starts_with("systemd unit ") ? host.observed.manager.substr(13) : "k3s";
  return "systemctl " + verb + " " + unit;
}

} // namespace rb::restore
