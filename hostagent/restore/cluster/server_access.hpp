// What opens the servers of the set's cluster for questions, while they are asked: a kubeconfig
// with the cluster's authority, an administrator's certificate, and the user of the supervisor, all
// of which the set or this host has.
#pragma once

#include "restore/cluster/servers.hpp"
#include "set/host_state.hpp"

#include "base/clock.hpp"
#include "base/secret_bytes.hpp"

#include <string>

namespace rb::cluster {

/// In the memory of the host: gone with a power cut. One at a time, under the RestoreLock.
inline constexpr const char* k_access_file = "/run/k3s/railiance-rejoin.kubeconfig";

/// The file is there as long as the value is. Move-only.
class ServerAccess {
public:
  /// Certificates and token of the host state, or, where it has none of them or is null, those
  /// below `data_dir`. A certificate whose year has passed is made anew, by the authority that lies
  /// beside it. The file has mode 0600 and replaces one that was left. Errors: not_found (there are
  /// none), those of the system.
  [[nodiscard]] static Result<ServerAccess> make(const std::string& k3s_program,
                                                 const set::HostState* state,
                                                 const std::string& data_dir,
                                                 const std::string& path,
                                                 SystemTime now);
  ~ServerAccess();
  ServerAccess(const ServerAccess&) = delete;
  ServerAccess& operator=(const ServerAccess&) = delete;
  ServerAccess(ServerAccess&& other) noexcept;
  ServerAccess& operator=(ServerAccess&&) = delete;

  [[nodiscard]] const Access& access() const { return m_access; }

private:
  explicit ServerAccess(Access access) : m_access(std::move(access)) {}

  Access m_access;
};

/// The certificate by which the servers are asked, in PEM: k3s makes it for a year, and in a set it
/// grows old. `certificate` itself as long as it is valid at `now`; else the same one for a day,
/// signed by `authority` with its key. Where it cannot be made, or what is given is no certificate,
/// that is returned as it is: the servers say what is wrong with it.
[[nodiscard]] SecretBytes valid_certificate(SecretBytes certificate,
                                            const SecretBytes& authority,
                                            const SecretBytes& authority_key,
                                            SystemTime now);

} // namespace rb::cluster
