#include "agent/orders/etcd_member.hpp"

#include "agent/host/mounted_files.hpp"
#include "agent/run/k3s_snapshots.hpp"
#include "k3s/etcd_members.hpp"
#include "k3s/host_settings.hpp"

#include "kube/transport.hpp"

namespace rb::agent {

namespace {

constexpr std::size_t k_answer_limit_bytes = std::size_t{1} << 20U;
/// The server itself gives etcd two seconds.
constexpr std::chrono::seconds k_timeout{4};

} // namespace

api::Member member_in(int http_status, std::string_view body, std::string_view name) {
  constexpr int k_ok = 200;
  constexpr int k_internal_error = 500;
  if (http_status == k_internal_error) {
    // A learner answers no such question, and etcd's error says so.
    return body.find("learner") == std::string_view::npos ? api::Member::no_quorum
                                                          : api::Member::learner;
  }
  const auto members = http_status == k_ok ? k3s::parse_members(body)
                                           : Result<std::vector<k3s::EtcdMember>>(Error{});
  if (!members || name.empty()) {
    return api::Member::unknown;
  }
  const k3s::EtcdMember* const own = k3s::member_named(*members, name);
  // Added, and not started: it has no name yet.
  return own == nullptr || own->learner ? api::Member::learner : api::Member::voting;
}

api::Member ask_member(const Settings& settings, const std::stop_token& stop) {
  const k3s::HostSettings server = k3s::read_host_settings(MountedFiles(settings));
  const std::string other = other_server_url(settings, server.settings);
  kube::ClientConfig config;
  config.server = other.empty() ? "https://127.0.0.1:6443" : other;
  config.ca.path = settings.data_dir + "/server/tls/server-ca.crt";
  const auto transport = kube::make_cpprest_transport(std::move(config));
  if (!transport) {
    return api::Member::unknown;
  }
  kube::Request request;
  request.path = "/db/info";
  request.timeout = k_timeout;
  request.body_limit_bytes = k_answer_limit_bytes;
  const auto answer = (*transport)->send(request, stop);
  return answer ? member_in(answer->status, answer->body, k3s::member_name_in(settings.data_dir))
                : api::Member::unknown;
}

} // namespace rb::agent
