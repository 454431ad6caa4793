// Where the API server is and how we show who we are: from the pod's service account, or from a
// kubeconfig. Private keys and tokens sit in buffers that are wiped.
#pragma once

#include "base/result.hpp"
#include "base/secret_bytes.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rb::kube {

/// The address of an API server, taken apart and checked.
struct ServerUrl {
  bool tls = true;
  std::string host; ///< A name or an address, one of IPv6 without its brackets.
  unsigned port = 443;
  std::string prefix; ///< "" or "/path" without a slash at the end.

  /// "HOST:PORT", "[HOST]:PORT".
  [[nodiscard]] std::string authority() const;
  /// "https://HOST:PORT/PREFIX".
  [[nodiscard]] std::string text() const;
};

/// Errors: invalid_argument (no URL, user or query in it, bad port), unsupported (http to anything
/// but loopback).
[[nodiscard]] Result<ServerUrl> parse_server_url(std::string_view url);

/// Four decimal numbers.
[[nodiscard]] bool is_ipv4_address(std::string_view host);
/// Without brackets, and without a zone.
[[nodiscard]] bool is_ipv6_address(std::string_view host);
/// Of one of the two families: a certificate names it as an address, and not as a name.
[[nodiscard]] bool is_ip_address(std::string_view host);

/// Material that is in a file (read again for each connection, so that a rotation is seen) or was
/// given inline. At most one of the two is set.
struct FileOrBytes {
  std::string path;
  SecretBytes bytes;

  [[nodiscard]] bool given() const { return !path.empty() || !bytes.empty(); }
};

struct ClientConfig {
  std::string server;             ///< "https://HOST:PORT[/PREFIX]"; http only for loopback.
  std::string tls_server_name;    ///< The name to verify instead of the host of `server`, or empty.
  std::string name_space;         ///< Where we run, or the namespace of the context; may be empty.
  FileOrBytes ca;                 ///< PEM. Not given: the certificates of the system.
  FileOrBytes client_certificate; ///< PEM, with its chain; or not given.
  FileOrBytes client_key;         ///< PEM; given exactly when the certificate is.
  FileOrBytes token;              ///< Bearer token; or not given.
};

/// Returns the value of an environment variable, or nullopt.
using Environment = std::function<std::optional<std::string>(std::string_view)>;
[[nodiscard]] std::optional<std::string> process_environment(std::string_view name);

inline constexpr std::string_view k_service_account_directory =
    "/var/run/secrets/kubernetes.io/serviceaccount";

/// From KUBERNETES_SERVICE_HOST and _PORT and the service account's files (token, ca.crt,
/// namespace). Errors: not_found (we are not in a pod), invalid_argument, io, permission_denied.
[[nodiscard]] Result<ClientConfig>
in_cluster_config(const Environment& environment = process_environment,
                  const std::string& directory = std::string(k_service_account_directory));

/// Reads a kubeconfig. `context` empty: its current-context. Relative paths are taken from the
/// file's directory. Errors: not_found, permission_denied, corrupt, invalid_argument (no such
/// context, cluster or user), unsupported (exec plugins, auth providers, basic auth,
/// impersonation, proxies, insecure-skip-tls-verify).
[[nodiscard]] Result<ClientConfig> load_kubeconfig(const std::string& path,
                                                   std::string_view context = {});

/// As load_kubeconfig, of several files that make one, as kubectl takes those of $KUBECONFIG: of
/// each context, cluster and user, and of the current-context, what the first file says that has
/// it. A file that is not there, or is empty, is passed over. Errors besides: not_found where none
/// is there.
[[nodiscard]] Result<ClientConfig> load_kubeconfigs(const std::vector<std::string>& paths,
                                                    std::string_view context = {});

/// As load_kubeconfig, from text; `directory` is where relative paths start.
[[nodiscard]] Result<ClientConfig> parse_kubeconfig(std::string_view text,
                                                    const std::string& directory,
                                                    std::string_view context = {});

} // namespace rb::kube
