// The files of the host that a server's settings name, and those that these files name in turn:
// without them it does not start, or cannot read its Secrets. One definition for what is collected,
// what is put back, and what is looked for before a restore.
#pragma once

#include "k3s/host_files.hpp"
#include "k3s/server_settings.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace rb::k3s {

struct NamedFile {
  std::string path;    ///< Absolute, normal; a file or a directory.
  std::string by;      ///< "kube-apiserver-arg audit-policy-file", "/etc/admission.yaml: path"
  bool needed = false; ///< It is known that the server does not start without it.
};

/// Where systemd has the credentials of services, while these run.
inline constexpr std::string_view k_credentials = "/run/credentials/";

/// Named by arguments. Relative ones lie below <data_dir>/server, where the server's working
/// directory is. What a server writes or makes itself (logs, data, sockets) is not among them.
[[nodiscard]] std::vector<NamedFile> named_by_settings(const ServerSettings& settings,
                                                       const std::string& data_dir);

/// Named by a file that is itself named: YAML and JSON (admission, kubeconfig, authorization,
/// registries.yaml, …) and TOML, by the names of their fields. Relative ones lie beside the file.
/// At most k_named_limit.
[[nodiscard]] std::vector<NamedFile> named_by_file(const std::string& path, std::string_view text);

inline constexpr std::size_t k_named_limit = 100;

/// Both, and what k3s looks for itself (registries.yaml, containerd's template): each path once, at
/// most k_all_named_limit, files that a file names up to four turns deep.
[[nodiscard]] std::vector<NamedFile> all_named_files(const HostFiles& files,
                                                     const ServerSettings& settings,
                                                     const std::string& data_dir);

inline constexpr std::size_t k_all_named_limit = 300;

/// Files and directories that k3s looks for itself, whatever its arguments are: what an operator
/// puts there exists nowhere else. Below <data_dir>, without it.
[[nodiscard]] const std::vector<std::string>& operators_places();

} // namespace rb::k3s
