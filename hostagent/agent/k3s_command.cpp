#include "agent/k3s_command.hpp"

#include "agent/snapshot_name.hpp"

namespace rb::agent {

namespace {

constexpr std::chrono::seconds k_delete_timeout{60};
constexpr std::chrono::seconds k_version_timeout{20};

ProcessSpec spec_of(const K3sCommand& command, std::chrono::seconds timeout) {
  ProcessSpec spec;
  spec.program = command.program;
  spec.timeout = timeout;
  // No K3S_*, proxy or cloud variable of ours may reach it.
  spec.environment = {{"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
                      {"HOME", "/root"},
                      {"LANG", "C"}};
  return spec;
}

void add_common_flags(const K3sCommand& command, std::vector<std::string>& arguments) {
  arguments.push_back("--data-dir=" + command.data_dir);
  if (!command.snapshot_dir.empty()) {
    arguments.push_back("--etcd-snapshot-dir=" + command.snapshot_dir);
  }
  if (!command.etcd_server.empty()) {
    arguments.push_back("--etcd-server=" + command.etcd_server);
  }
  if (command.logs_to_file) {
    arguments.emplace_back("--log="); // the last one wins: back to stderr, where we read it
  }
  arguments.emplace_back("--etcd-s3=false");
}

} // namespace

ProcessSpec
save_spec(const K3sCommand& command, const std::string& run_id, std::chrono::seconds timeout) {
  ProcessSpec spec = spec_of(command, timeout);
  spec.arguments = {"etcd-snapshot", "save", "--name=" + snapshot_prefix(run_id)};
  // Names the file in releases up to 1.29.3, which else take the host name of the caller.
  spec.arguments.push_back("--node-name=" + command.node_name);
  add_common_flags(command, spec.arguments);
  spec.arguments.emplace_back("--etcd-snapshot-compress=false");
  return spec;
}

ProcessSpec delete_spec(const K3sCommand& command, const std::string& snapshot_name) {
  ProcessSpec spec = spec_of(command, k_delete_timeout);
  spec.arguments = {"etcd-snapshot", "delete"};
  add_common_flags(command, spec.arguments);
  spec.arguments.push_back(snapshot_name);
  return spec;
}

ProcessSpec version_spec(const K3sCommand& command) {
  ProcessSpec spec = spec_of(command, k_version_timeout);
  spec.arguments = {"--version"};
  return spec;
}

} // namespace rb::agent
