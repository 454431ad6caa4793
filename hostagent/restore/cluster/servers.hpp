// The servers of a cluster, asked through `k3s kubectl`, which is the only way in which a restore
// talks to a server: whether it answers, of which cluster it is, and which members its etcd has.
// Asking changes nothing.
#pragma once

#include "datastore/keys/copy.hpp"
#include "k3s/command.hpp"
#include "k3s/etcd_members.hpp"

#include "api/servers.hpp"
#include "base/process.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace rb::cluster {

using k3s::EtcdMember;

/// "https://192.0.2.11:6443", "https://[2001:db8::1]:6443"
[[nodiscard]] std::string url_of(std::string_view address, std::string_view port);
/// "https://192.0.2.11:6443" -> "6443"; empty: none is named.
[[nodiscard]] std::string port_of(std::string_view url);
/// The same port on this host.
[[nodiscard]] std::string loopback_url(std::string_view url);

/// How far one gets with a server.
enum class Contact {
  none,     ///< It does not answer.
  stranger, ///< It answers with a certificate that another authority signed.
  refused,  ///< It does not take our certificate.
  unready,  ///< It answers, and is not ready: it starts, or its etcd has no quorum.
  ready,
};

struct ServerAnswer {
  std::string node_name; ///< As the set knows it; may be empty.
  std::string api_url;
  Contact contact = Contact::none;
  std::string problem; ///< Why it is not ready, in the words of kubectl.

  // Of one that is ready.
  std::string version;        ///< "v1.34.4+k3s1"
  std::string supervisor_url; ///< Where k3s itself answers; a server joins there.
  std::string cluster_ca;     ///< SHA-256 of /cacerts.
  std::string cluster_uid;    ///< Of the namespace kube-system.
  std::vector<EtcdMember> members;
  std::string members_problem; ///< Why they are not known.

  /// "server-1 (https://192.0.2.11:6443)"
  [[nodiscard]] std::string text() const;
};

/// By which a server is asked.
struct Access {
  k3s::Kubectl kubectl;
  std::string admin;      ///< Context of the administrator's certificate; empty: the current one.
  std::string supervisor; ///< Of the name and the password that the token holds; empty: the same.
};

/// The output of `kubectl get --raw=PATH` of that server. Errors: unavailable (nobody answers), io
/// (it answers that it cannot: it starts, or its etcd has no quorum), not_found (it does not know
/// the path), unauthenticated, corrupt (the certificate of another authority), those of
/// ProcessRunner::run.
[[nodiscard]] Result<std::string> get_raw(ProcessRunner& processes,
                                          const Access& access,
                                          const std::string& context,
                                          const std::string& url,
                                          const std::string& path,
                                          const std::stop_token& stop);

/// Everything of it. A server that does not answer is an answer.
[[nodiscard]] ServerAnswer ask_server(ProcessRunner& processes,
                                      const Access& access,
                                      const std::string& api_url,
                                      const std::stop_token& stop);

/// Its members only. Errors: those of get_raw() and parse_members().
[[nodiscard]] Result<std::vector<EtcdMember>> ask_members(ProcessRunner& processes,
                                                          const Access& access,
                                                          const std::string& supervisor_url,
                                                          const std::stop_token& stop);

/// The newest revision that it serves (the resourceVersion of a list of namespaces). Errors: those
/// of get_raw(), corrupt.
[[nodiscard]] Result<std::uint64_t> ask_revision(ProcessRunner& processes,
                                                 const Access& access,
                                                 const std::string& api_url,
                                                 const std::stop_token& stop);

// The servers of a cluster, from all that tell of them.

/// Adds the datastore's own members, also servers without a Node, and those that the manifest does
/// not name; one that is known by name gets its address.
void add_members(const std::vector<datastore::Member>& members,
                 std::vector<api::ServerEntry>& servers);

} // namespace rb::cluster
