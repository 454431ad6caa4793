#include "api/servers.hpp"

#include "api/artifacts.hpp"

#include <algorithm>

namespace rb::api {

namespace {

constexpr std::string_view k_lower_digits = "abcdefghijklmnopqrstuvwxyz0123456789";
/// Of a DNS subdomain, which the name of a node is.
constexpr std::size_t k_name_limit = 253;
/// The longest text of an IPv6 address, and a zone.
constexpr std::size_t k_address_limit = 64;
/// minisign's: two bytes of algorithm, eight of the id, 32 of the key, in base64.
constexpr std::size_t k_public_key_size = 56;

bool consists_of(std::string_view text, std::string_view alphabet) {
  return text.find_first_not_of(alphabet) == std::string_view::npos;
}

bool is_node_name(std::string_view text) {
  return !text.empty() && text.size() <= k_name_limit &&
         consists_of(text, "abcdefghijklmnopqrstuvwxyz0123456789-.") &&
         k_lower_digits.find(text.front()) != std::string_view::npos &&
         k_lower_digits.find(text.back()) != std::string_view::npos;
}

bool is_address(std::string_view text) {
  return text.size() <= k_address_limit && consists_of(text, "0123456789abcdefABCDEF.:");
}

bool is_public_key(std::string_view text) {
  return text.empty() ||
         (text.size() == k_public_key_size && text.starts_with("RW") &&
          consists_of(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"));
}

bool is_usable(const ServerEntry& entry) {
  return is_node_name(entry.node_name) && is_address(entry.address) &&
         is_public_key(entry.public_key);
}

} // namespace

static void fields(JsonFields& json, ServerEntry& entry) {
  json.required("nodeName", entry.node_name);
  json.optional("address", entry.address);
  json.optional("publicKey", entry.public_key);
}

ServerList servers_from_json(const nlohmann::json& json) {
  ServerList list;
  if (!json.is_array()) {
    list.odd = json.is_null() ? 0 : 1;
    return list;
  }
  for (const nlohmann::json& element : json) {
    JsonFields reader(element);
    ServerEntry entry;
    fields(reader, entry);
    const bool taken = reader.result() && is_usable(entry) &&
                       list.servers.size() < k_servers_limit &&
                       std::ranges::find(list.servers, entry.node_name, &ServerEntry::node_name) ==
                           list.servers.end();
    if (taken) {
      list.servers.push_back(std::move(entry));
    } else {
      ++list.odd;
    }
  }
  return list;
}

void servers_field(JsonFields& json, std::vector<ServerEntry>& servers, std::size_t& odd) {
  if (!json.reading()) {
    json.optional("servers", servers);
    return;
  }
  const auto read = [&](const nlohmann::json& list) -> Result<std::vector<ServerEntry>> {
    ServerList found = servers_from_json(list);
    odd += found.odd;
    return std::move(found.servers);
  };
  json.custom("servers", false, servers, read, [](const auto&) { return nlohmann::json(); });
}

std::span<const Word<Member>> words_of(Member /*member*/) {
  static constexpr std::array<Word<Member>, 4> k_words{{{Member::unknown, ""},
                                                        {Member::voting, "Voting"},
                                                        {Member::learner, "Learner"},
                                                        {Member::no_quorum, "NoQuorum"}}};
  return k_words;
}

std::span<const Word<Servers>> words_of(Servers /*servers*/) {
  static constexpr std::array<Word<Servers>, 2> k_words{
      {{Servers::all, "All"}, {Servers::one, "One"}}};
  return k_words;
}

std::span<const Word<CopyState>> words_of(CopyState /*state*/) {
  static constexpr std::array<Word<CopyState>, 6> k_words{{{CopyState::pending, "Pending"},
                                                           {CopyState::running, "Running"},
                                                           {CopyState::succeeded, "Succeeded"},
                                                           {CopyState::incomplete, "Incomplete"},
                                                           {CopyState::failed, "Failed"},
                                                           {CopyState::left_out, "LeftOut"}}};
  return k_words;
}

void fields(JsonFields& json, ServerCopy& copy) {
  json.required("nodeName", copy.node_name);
  json.required("result", copy.result);
  json.always("reason", copy.reason);
  if (!json.reading()) {
    copy.message = bounded(copy.message, k_message_limit);
  }
  json.always("message", copy.message);
  json.optional("sizeBytes", copy.size_bytes);
  json.optional("revision", copy.revision);
  json.optional("completionTime", copy.completion_time);
}

std::size_t whole_copies(const std::vector<ServerCopy>& copies) {
  return static_cast<std::size_t>(
      std::ranges::count(copies, CopyState::succeeded, &ServerCopy::result));
}

std::string copies_text(const std::vector<ServerCopy>& copies) {
  return copies.empty()
             ? std::string()
             : std::to_string(whole_copies(copies)) + "/" + std::to_string(copies.size());
}

} // namespace rb::api
