// What an agent is told when it starts: the flags of railiance-backup-agent.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace rb::agent {

struct Settings {
  std::string name_space = "railiance-backup";
  std::string node_name;
  std::string agent_id;
  std::string pod_name;    ///< Empty: the kit holds no image.
  std::string instance_id; ///< Of this process, and of no other.
  std::string backup_dir = "/opt/backup/railiance/cluster";
  /// The mount point on which it has to lie: a path, "auto" or "none" (backup_disk.hpp).
  std::string backup_mount = "auto";
  std::string mountinfo = "/proc/self/mountinfo";
  std::string data_dir = "/var/lib/rancher/k3s";
  /// Where the host's signing key is; never the backup directory.
  std::string key_dir = "/var/lib/railiance-backup";
  std::string k3s_program = "/usr/local/bin/k3s";
  /// Tried in this order before <config_dir>/k3s/k3s.yaml.
  std::vector<std::string> kubeconfig_sources;
  std::string config_dir = "/etc/rancher"; ///< As on the host: k3s itself reads it there.
  std::string host_etc_dir = "/etc";       ///< The host's /etc, wherever it is mounted.
  /// The static railiance-restore of which a copy is kept beside the backups; empty: none is.
  std::string kit_program = "/railiance-backup/bin/railiance-restore";
  std::string sops_config = "/etc/railiance-backup/.sops.yaml";
  std::string etcd_server;       ///< For --etcd-server; empty: as the server's configuration says.
  std::string etcd_snapshot_dir; ///< Empty: as the server's configuration says.
  std::string node_address;      ///< For host.json; may be empty.
  std::chrono::seconds snapshot_timeout{600};
  /// Of a scratch server that proves a snapshot: for its reset, and again for its API to get ready.
  std::chrono::seconds boot_timeout{300};
  std::string scratch_dir; ///< Where the scratch server lies; empty: in `data_dir`.
  /// How long a snapshot may still appear after the command gave up on it.
  std::chrono::milliseconds late_file_wait{10000};
  /// Between attempts when k3s is busy with a snapshot of its own, or the server restarts.
  std::chrono::milliseconds retry_delay{5000};
  unsigned save_attempts = 6;
  unsigned encryption_threads = 0; ///< 0: what lib/age thinks best.
};

} // namespace rb::agent
