#include "agent/server_config.hpp"

#include <filesystem>

namespace rb::agent {

ServerConfig server_config_of(const k3s::ServerSettings& settings) {
  ServerConfig config;
  config.snapshot_dir = settings.value("etcd-snapshot-dir");
  config.datastore_endpoint = settings.value("datastore-endpoint");
  config.https_listen_port = settings.value("https-listen-port");
  config.etcd_disabled = settings.is_on("disable-etcd");
  config.logs_to_file = !settings.value("log").empty();
  return config;
}

Result<ServerConfig> read_server_config(const k3s::HostFiles& files) {
  const k3s::HostSettings read = k3s::read_host_settings(files);
  if (!read.problem.empty()) {
    return Error{ErrorCode::corrupt, read.problem, {}};
  }
  return server_config_of(read.settings);
}

std::string snapshot_directory(const std::string& data_dir, const std::string& configured) {
  const std::filesystem::path server = std::filesystem::path(data_dir) / "server";
  // An absolute path replaces what stands before it.
  return (configured.empty() ? server / "db" / "snapshots" : server / configured).string();
}

} // namespace rb::agent
