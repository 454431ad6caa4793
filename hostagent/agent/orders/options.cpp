#include "agent/orders/options.hpp"

#include "base/error.hpp"
#include "base/version.hpp"

#include <CLI/CLI.hpp>

namespace rb::agent {

namespace {

/// An option of whole seconds.
void add_seconds(CLI::App& app,
                 const std::string& name,
                 std::chrono::seconds& target,
                 const std::string& description,
                 const CLI::Validator& range) {
  app.add_option_function<unsigned>(
         name, [&target](unsigned value) { target = std::chrono::seconds(value); }, description)
      ->check(range)
      ->default_str(std::to_string(target.count()));
}

log::Format format_of(const std::string& word) {
  if (word == "json") {
    return log::Format::json;
  }
  return word == "text" ? log::Format::text : log::Format::automatic;
}

void declare_host(CLI::App& app, Settings& settings) {
  app.add_option("--namespace", settings.name_space, "Namespace of the payload ConfigMaps")
      ->capture_default_str();
  app.add_option("--node-name", settings.node_name, "Name of this node")
      ->envname("NODE_NAME")
      ->required();
  app.add_option("--agent-id", settings.agent_id, "Identity of this agent: the pod's UID")
      ->envname("POD_UID")
      ->required();
  app.add_option(
         "--pod-name", settings.pod_name, "Name of this pod, whose image the kit brings along")
      ->envname("POD_NAME");
  app.add_option("--node-address", settings.node_address, "Address of this node, for the manifest")
      ->envname("NODE_IP");
  app.add_option("--backup-dir", settings.backup_dir, "Where the backup sets are kept")
      ->capture_default_str();
  app.add_option("--backup-mount",
                 settings.backup_mount,
                 "The mount point on which it has to lie; auto: as fstab, mount units or /mnt and "
                 "/media say; none: it may lie on the system's disk")
      ->check([](const std::string& text) {
        return text == "auto" || text == "none" || text.starts_with('/')
                   ? std::string()
                   : "neither a path nor auto nor none: " + text;
      })
      ->capture_default_str();
  app.add_option("--key-dir", settings.key_dir, "Where the host's signing key is kept")
      ->capture_default_str();
  app.add_option("--data-dir", settings.data_dir, "Data directory of the k3s server")
      ->capture_default_str();
  app.add_option("--k3s", settings.k3s_program, "The k3s program")->capture_default_str();
  app.add_option("--kubeconfig-source",
                 settings.kubeconfig_sources,
                 "Kubeconfig to back up; repeatable, the first one that exists is taken, "
                 "k3s's own (k3s.yaml) last");
  app.add_option("--config-dir", settings.config_dir, "Configuration directory of k3s and Rancher")
      ->capture_default_str();
  app.add_option("--host-etc-dir", settings.host_etc_dir, "Where the host's /etc is mounted")
      ->capture_default_str();
  app.add_option("--sops-config", settings.sops_config, "The .sops.yaml that names the recipients")
      ->capture_default_str();
  app.add_option("--kit",
                 settings.kit_program,
                 "The static railiance-restore that is kept beside the backups; empty for none")
      ->capture_default_str();
  app.add_option("--etcd-server", settings.etcd_server, "Passed on to k3s etcd-snapshot");
  app.add_option("--etcd-snapshot-dir",
                 settings.etcd_snapshot_dir,
                 "The server's snapshot directory, where config.yaml does not name it");
  app.add_option("--scratch-dir",
                 settings.scratch_dir,
                 "Where a scratch server that proves a snapshot lies (default: in the data "
                 "directory)");
}

void declare_offsite(CLI::App& app, OffsiteOptions& offsite) {
  app.add_option(
         "--offsite-remote",
         offsite.rclone.remote,
         "Carry out no orders, but copy complete sets to this remote of rclone.conf, NAME:PATH")
      ->check([](const std::string& text) {
        const Status status = offsite::check_remote(text);
        return status ? std::string() : status.error().message + ": " + status.error().hint;
      });
  app.add_option("--rclone", offsite.rclone.program, "The rclone program")->capture_default_str();
  app.add_option("--rclone-config", offsite.rclone.config_file, "Its configuration file")
      ->capture_default_str();
  app.add_option("--rclone-ca", offsite.rclone.ca_file, "CA certificates for rclone, PEM");
  app.add_option(
      "--offsite-bandwidth-limit", offsite.rclone.bandwidth_limit, "As rclone's --bwlimit");
  app.add_option("--offsite-state-dir",
                 offsite.replicator.state_dir,
                 "Where is remembered what is off-site; never the backup directory")
      ->capture_default_str();
  app.add_option("--offsite-public-key",
                 offsite.replicator.public_key_file,
                 "The host's public key: only what it vouches for is copied")
      ->capture_default_str();
  app.add_option("--offsite-ports",
                 offsite.ports,
                 "The ports that the network policy lets through; without: there is none")
      ->delimiter(',')
      ->check(CLI::Range(1, 65535));
  app.add_option("--offsite-keep-last",
                 offsite.replicator.keep_last,
                 "Sets that stay at the remote; 0: none is ever removed")
      ->capture_default_str();
  offsite::Schedule& schedule = offsite.replicator.schedule;
  add_seconds(app,
              "--offsite-retry-seconds",
              schedule.first_retry,
              "Pause after the first failure; doubled after each, up to an hour",
              CLI::Range(1, 3600));
  add_seconds(app,
              "--offsite-look-seconds",
              offsite.look_every,
              "How often the backup directory is looked at for new sets",
              CLI::Range(1, 3600));
  add_seconds(app,
              "--offsite-compare-seconds",
              schedule.compare_every,
              "How often names and sizes at the remote are looked at",
              CLI::Range(1, 604800));
  add_seconds(app,
              "--offsite-reread-seconds",
              schedule.reread_every,
              "How often one set at the remote is read back whole, in turn; 0: none is",
              CLI::Range(0, 31536000));
}

void declare_program(CLI::App& app, Options& options) {
  app.set_version_flag("--version", version_line("railiance-backup-agent"));
  add_seconds(app,
              "--snapshot-timeout-seconds",
              options.settings.snapshot_timeout,
              "For one snapshot",
              CLI::Range(1, 86400));
  add_seconds(app,
              "--boot-timeout-seconds",
              options.settings.boot_timeout,
              "For the reset of a scratch server that proves a snapshot, and again for its API to "
              "get ready",
              CLI::Range(5, 7200));
  app.add_option("--metrics-listen", options.metrics_listen, "HOST:PORT of /livez /readyz /metrics")
      ->capture_default_str();
  app.add_option("--kube-kubeconfig", options.kube_kubeconfig, "To run outside a cluster");
  app.add_option("--log-level", options.log_level, "trace, debug, info, warn, error")
      ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error"}))
      ->capture_default_str();
  app.add_option_function<std::string>(
         "--log-format",
         [&options](const std::string& word) { options.log_format = format_of(word); },
         "auto, json, text")
      ->check(CLI::IsMember({"auto", "json", "text"}))
      ->default_str("auto");
}

} // namespace

Parsed parse_options(int argc, const char* const* argv) {
  CLI::App app{"Carries out the backup orders of one server node.", "railiance-backup-agent"};
  Parsed parsed;
  declare_host(app, parsed.options.settings);
  declare_offsite(app, parsed.options.offsite);
  notify::add_options(app, parsed.options.notify);
  declare_program(app, parsed.options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    parsed.exit_code = app.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::usage);
  }
  parsed.options.offsite.replicator.backup_dir = parsed.options.settings.backup_dir;
  parsed.options.offsite.node_name = parsed.options.settings.node_name;
  return parsed;
}

} // namespace rb::agent
