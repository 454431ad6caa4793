#include "agent/orders/etcd_member.hpp"

#include "agent/host/mounted_files.hpp"
#include "agent/run/k3s_snapshots.hpp"
#include "k3s/host_settings.hpp"

#include "base/fd.hpp"
#include "base/json_fields.hpp"
#include "kube/transport.hpp"

namespace rb::agent {

namespace {

constexpr std::size_t k_name_limit_bytes = 1024;
constexpr std::size_t k_answer_limit_bytes = std::size_t{1} << 20U;
/// The server itself gives etcd two seconds.
constexpr std::chrono::seconds k_timeout{4};

/// An element of `members`, as etcd names its fields.
struct ListedMember {
  std::string name;
  bool is_learner = false;
};

void fields(JsonFields& json, ListedMember& member) {
  json.always("name", member.name); // empty until it has started
  json.always("isLearner", member.is_learner);
}

struct MemberList {
  std::vector<ListedMember> members;
};

void fields(JsonFields& json, MemberList& list) {
  json.required("members", list.members);
}

/// "cp-1-0a1b2c3d": the node's name at the time when the member was made.
std::string name_of_member(const Settings& settings) {
  const auto text = read_text_file(settings.data_dir + "/server/db/etcd/name", k_name_limit_bytes);
  return text ? text->substr(0, text->find_first_of("\r\n")) : std::string();
}

} // namespace

api::Member member_in(int http_status, std::string_view body, std::string_view name) {
  constexpr int k_ok = 200;
  constexpr int k_internal_error = 500;
  if (http_status == k_internal_error) {
    // A learner answers no such question, and etcd's error says so.
    return body.find("learner") == std::string_view::npos ? api::Member::no_quorum
                                                          : api::Member::learner;
  }
  const auto list = http_status == k_ok ? from_json_fields<MemberList>(json_of(body))
                                        : Result<MemberList>(Error{});
  if (!list || list->members.empty() || name.empty()) {
    return api::Member::unknown;
  }
  for (const ListedMember& member : list->members) {
    if (member.name == name) {
      return member.is_learner ? api::Member::learner : api::Member::voting;
    }
  }
  return api::Member::learner; // added, and not started: it has no name yet
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
  return answer ? member_in(answer->status, answer->body, name_of_member(settings))
                : api::Member::unknown;
}

} // namespace rb::agent
