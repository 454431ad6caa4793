#include "restore/proof/server_args.hpp"

#include "k3s/command.hpp"
#include "objects/local_api.hpp"

namespace rb::proof {

namespace {

std::vector<std::string> common_flags(const ScratchServer& server) {
  std::vector<std::string> flags{
      "--config=" + config_of(server),
      std::string("--node-ip=") + k_scratch_address,
      "--write-kubeconfig=" + kubeconfig_of(server),
      "--disable-agent",
      "--disable-scheduler",
      "--disable-cloud-controller",
      "--disable-helm-controller",
      "--disable-network-policy",
      "--flannel-backend=none",
      "--disable=traefik,servicelb,metrics-server,coredns,local-storage"};
  if (!server.settings.cluster_cidr.empty()) {
    flags.push_back("--cluster-cidr=" + server.settings.cluster_cidr);
  }
  if (!server.settings.service_cidr.empty()) {
    flags.push_back("--service-cidr=" + server.settings.service_cidr);
  }
  if (server.settings.secrets_encryption) {
    flags.emplace_back("--secrets-encryption");
  }
  if (!server.settings.secrets_encryption_provider.empty()) {
    flags.push_back("--secrets-encryption-provider=" + server.settings.secrets_encryption_provider);
  }
  for (const std::string& argument : server.settings.api_server_args) {
    flags.push_back("--kube-apiserver-arg=" + argument);
  }
  for (const std::string& argument : server.settings.etcd_args) {
    flags.push_back("--etcd-arg=" + argument);
  }
  return flags;
}

} // namespace

std::string config_of(const ScratchServer& server) {
  return server.directory + "/config.yaml";
}

std::string kubeconfig_of(const ScratchServer& server) {
  return server.directory + "/kubeconfig";
}

std::string log_of(const ScratchServer& server) {
  return server.directory + "/server.log";
}

std::string proxy_log_of(const ScratchServer& server) {
  return server.directory + "/proxy.log";
}

std::string socket_of(const ScratchServer& server) {
  return server.directory + "/api.sock";
}

std::map<std::string, std::string> environment_of(const ScratchServer& server) {
  auto environment = k3s::environment_in(server.directory + "/data");
  environment["HOME"] = server.directory;
  return environment;
}

Result<ProcessSpec> scratch_reset_spec(const ScratchServer& server) {
  k3s::ResetOrder order;
  order.program = server.program;
  order.data_dir = server.directory + "/data";
  order.snapshot_path = server.snapshot_path;
  order.carried = common_flags(server);
  order.token = server.token;
  order.timeout = server.reset_timeout;
  RB_TRY_ASSIGN(ProcessSpec spec, k3s::reset_spec(order));
  spec.environment.merge(environment_of(server));
  spec.environment["HOME"] = server.directory;
  return spec;
}

ProcessSpec scratch_server_spec(const ScratchServer& server) {
  const std::vector<std::string> flags = common_flags(server);
  ProcessSpec spec;
  spec.program = server.program;
  spec.environment = environment_of(server);
  spec.environment.emplace("K3S_TOKEN", server.token);
  // Controllers would change what was restored; nothing here needs them.
  spec.arguments = {"server",
                    "--data-dir=" + server.directory + "/data",
                    "--disable-controller-manager",
                    "--etcd-disable-snapshots"};
  spec.arguments.insert(spec.arguments.end(), flags.begin(), flags.end());
  return spec;
}

ProcessSpec proxy_spec(const ScratchServer& server) {
  return objects::proxy_spec(
      {server.program, kubeconfig_of(server), socket_of(server), environment_of(server)});
}

} // namespace rb::proof
