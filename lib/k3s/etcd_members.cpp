#include "k3s/etcd_members.hpp"

#include "terminal/terminal_text.hpp"

#include "base/json_fields.hpp"
#include "base/json_member.hpp"
#include "base/open_beneath.hpp"

#include <algorithm>

namespace rb::k3s {

namespace {

using nlohmann::json;

constexpr std::size_t k_name_limit_bytes = 1024;
constexpr std::size_t k_member_limit = 64;
constexpr std::size_t k_word_limit = 300; ///< Longer than any name or address.
constexpr std::size_t k_suffix = 8;       ///< Hex digits that k3s adds to the name of a member.
constexpr const char* k_node_name_characters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";

std::string word_in(const json& text) {
  return terminal_text(json_text(text), k_word_limit);
}

EtcdMember member_of(const json& object) {
  EtcdMember member;
  member.id = json_integer_of<std::uint64_t>(json_member(object, "ID")).value_or(0);
  member.name = word_in(json_member(object, "name"));
  if (const json& peers = json_list(object, "peerURLs"); !peers.empty()) {
    member.peer_url = word_in(peers.front());
  }
  member.learner = json_member(object, "isLearner") == true;
  return member;
}

} // namespace

Result<std::vector<EtcdMember>> parse_members(std::string_view text) {
  const json document = json_of(text);
  const json& list = json_list(document, "members");
  std::vector<EtcdMember> members;
  for (std::size_t i = 0; i < std::min(list.size(), k_member_limit); ++i) {
    members.push_back(member_of(list[i]));
  }
  // Releases that cannot ask etcd list the server itself, without an id.
  const bool known = !members.empty() && std::ranges::none_of(members, [](const EtcdMember& one) {
    return one.id == 0;
  });
  return known ? Result<std::vector<EtcdMember>>(std::move(members))
               : Error{ErrorCode::corrupt, "/db/info: not a list of members", {}};
}

std::string node_of_member(std::string_view name) {
  const std::size_t dash = name.rfind('-');
  const bool suffixed = dash != std::string_view::npos && dash > 0 &&
                        name.size() - dash - 1 == k_suffix &&
                        name.find_first_not_of("0123456789abcdef", dash + 1) == name.npos;
  std::string node(suffixed ? name.substr(0, dash) : name);
  std::ranges::replace_if(
      node,
      [](char c) { return std::string_view(k_node_name_characters).find(c) == std::string::npos; },
      '?');
  return node;
}

std::string member_name_in(const std::string& data_dir) {
  auto name = read_regular_text(data_dir + "/server/db/etcd/name", k_name_limit_bytes);
  if (!name) {
    return {};
  }
  name->erase(name->find_last_not_of(" \t\r\n") + 1);
  return std::move(*name);
}

std::size_t voting(const std::vector<EtcdMember>& members) {
  return static_cast<std::size_t>(std::ranges::count(members, false, &EtcdMember::learner));
}

const EtcdMember* member_named(const std::vector<EtcdMember>& members, std::string_view name) {
  const auto found = std::ranges::find(members, name, &EtcdMember::name);
  return name.empty() || found == members.end() ? nullptr : &*found;
}

bool same_members(const std::vector<EtcdMember>& some, const std::vector<EtcdMember>& others) {
  return some.size() == others.size() && std::ranges::all_of(some, [&](const EtcdMember& one) {
           return std::ranges::find(others, one.id, &EtcdMember::id) != others.end();
         });
}

} // namespace rb::k3s
