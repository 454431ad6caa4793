#include "agent/k3s_sayings.hpp"

#include <algorithm>
#include <array>

namespace rb::agent {

namespace {

constexpr std::string_view k_is_server_running =
    "see that the k3s server runs on this node (systemctl status k3s) and that --etcd-server "
    "names its port";
constexpr std::string_view k_convert =
    "convert the server to embedded etcd: add `cluster-init: true` to "
    "/etc/rancher/k3s/config.yaml and restart k3s";

/// k3s's own words, newest to oldest releases; the first match counts.
constexpr std::array<Saying, 10> k_sayings{{
    {"etcd datastore disabled", api::Reason::datastore_not_etcd, k_convert},
    {"etcd database not found", api::Reason::datastore_not_etcd, k_convert},
    {"failed to get CA certs", api::Reason::server_unreachable, k_is_server_running},
    {"connection refused", api::Reason::server_unreachable, k_is_server_running},
    {"no route to host", api::Reason::server_unreachable, k_is_server_running},
    {"connection reset by peer", api::Reason::server_unreachable, k_is_server_running},
    {"server/token: no such file",
     api::Reason::snapshot_failed,
     "give the data directory that the server uses with --data-dir"},
    {"two forms of the same flag",
     api::Reason::snapshot_failed,
     "an etcd-snapshot flag in config.yaml clashes with ours: use its long etcd-… spelling"},
    {"not authorized",
     api::Reason::not_authorized,
     "the server token was rotated and k3s not restarted since: restart k3s on this server "
     "(systemctl restart k3s) and start the backup again"},
    {"Unauthorized",
     api::Reason::snapshot_failed,
     "the server does not take the token in server/token: was it changed?"},
}};

constexpr std::array<std::string_view, 3> k_timeouts{
    "context deadline exceeded", "Client.Timeout exceeded", "TLS handshake timeout"};
// The reason behind an error ID is in the server's log only; most often a snapshot was going on.
constexpr std::array<std::string_view, 3> k_passing{
    "etcd-snapshot error ID", "already in progress", ": EOF"};

template <std::size_t N>
bool holds_any(std::string_view text, const std::array<std::string_view, N>& words) {
  return std::any_of(words.begin(), words.end(), [text](std::string_view word) {
    return text.find(word) != std::string_view::npos;
  });
}

} // namespace

const Saying* find_saying(std::string_view text) {
  const auto* const found =
      std::find_if(k_sayings.begin(), k_sayings.end(), [text](const Saying& saying) {
        return text.find(saying.words) != std::string_view::npos;
      });
  return found == k_sayings.end() ? nullptr : found;
}

bool speaks_of_timeout(std::string_view text) {
  return holds_any(text, k_timeouts);
}

bool speaks_of_passing_trouble(std::string_view text) {
  return holds_any(text, k_passing);
}

} // namespace rb::agent
