#include "restore/cluster/servers.hpp"

#include "k3s/token.hpp"
#include "restore/cluster/machine.hpp"
#include "terminal/terminal_text.hpp"

#include "base/json_fields.hpp"
#include "base/json_member.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>

namespace rb::cluster {

namespace {

using nlohmann::json;

constexpr std::size_t k_word_limit = 300; ///< Longer than any name or address.
constexpr std::size_t k_shown_bytes = 160;
constexpr auto k_limit = std::chrono::seconds(15);
constexpr const char* k_request_limit = "--request-timeout=5s";
/// Where k3s's supervisor answers when it does not share the port of the API (RKE2).
constexpr const char* k_supervisor_port = "9345";

std::string word_in(const json& object, const char* key) {
  return terminal_text(json_text(object, key), k_word_limit);
}

/// Of an object's metadata.
std::string metadata_in(const std::string& text, const char* key) {
  return word_in(json_member(json_of(text), "metadata"), key);
}

/// What kubectl and the servers say, and what it means; the first that fits. `io`: the server
/// answers with an error of its own.
struct Meaning {
  std::string_view words;
  ErrorCode code;
};

constexpr std::array<Meaning, 11> k_meanings{{
    {"x509: certificate signed by unknown authority", ErrorCode::corrupt},
    {"certificate has expired", ErrorCode::unauthenticated},
    {"tls: expired certificate", ErrorCode::unauthenticated},
    {"(NotFound)", ErrorCode::not_found},
    {"the server could not find the requested resource", ErrorCode::not_found},
    {"(Unauthorized)", ErrorCode::unauthenticated},
    {"You must be logged in", ErrorCode::unauthenticated},
    {"not authorized", ErrorCode::unauthenticated},
    {"(Forbidden)", ErrorCode::unauthenticated},
    {"etcd failed", ErrorCode::io},
    {"rror from server", ErrorCode::io},
}};

Error meaning_of(const ProcessResult& result, const std::string& url) {
  const std::string_view said = result.err;
  std::string message = url + ": " +
                        (result.timed_out          ? std::string("no answer in time")
                         : last_line(said).empty() ? std::string("no word from kubectl")
                                                   : terminal_text(last_line(said), k_shown_bytes));
  if (said.find("etcd failed") != std::string_view::npos) {
    message = url + ": its etcd does not answer: it has no quorum, or is starting";
  }
  const auto* const found = std::ranges::find_if(k_meanings, [&](const Meaning& one) {
    return said.find(one.words) != std::string_view::npos;
  });
  return {found == k_meanings.end() ? ErrorCode::unavailable : found->code, std::move(message), {}};
}

Contact contact_of(const Error& error) {
  return error.code == ErrorCode::corrupt           ? Contact::stranger
         : error.code == ErrorCode::unauthenticated ? Contact::refused
         : error.code == ErrorCode::io              ? Contact::unready
                                                    : Contact::none;
}

/// The same host, whether it is a name or an address.
std::string with_port(const std::string& url, const char* port) {
  const std::string old = port_of(url);
  const std::size_t end = url.find('/', url.find("://") + 3);
  const std::string host = url.substr(0, end);
  return (old.empty() ? host : host.substr(0, host.size() - old.size() - 1)) + ":" + port;
}

/// One server, question by question.
class Questions {
public:
  Questions(ProcessRunner& processes, const Access& access, const std::stop_token& stop)
      : m_processes(processes), m_access(access), m_stop(stop) {}

  ServerAnswer ask(const std::string& api_url) {
    ServerAnswer answer;
    answer.api_url = api_url;
    if (const auto ready = raw(m_access.admin, api_url, "/readyz"); !ready) {
      answer.contact = contact_of(ready.error());
      answer.problem = ready.error().message;
      return answer;
    }
    answer.contact = Contact::ready;
    if (const auto version = raw(m_access.admin, api_url, "/version")) {
      answer.version = word_in(json_of(*version), "gitVersion");
    }
    if (const auto system = raw(m_access.admin, api_url, "/api/v1/namespaces/kube-system")) {
      answer.cluster_uid = metadata_in(*system, "uid");
    }
    ask_supervisor(answer);
    return answer;
  }

private:
  Result<std::string>
  raw(const std::string& context, const std::string& url, const std::string& path) {
    return get_raw(m_processes, m_access, context, url, path, m_stop);
  }

  /// k3s answers at the port of the API; where the API server itself does so, it does not know
  /// these paths.
  void ask_supervisor(ServerAnswer& answer) {
    answer.supervisor_url = answer.api_url;
    auto authority = raw(m_access.admin, answer.api_url, "/cacerts");
    if (!authority && authority.error().code == ErrorCode::not_found) {
      answer.supervisor_url = with_port(answer.api_url, k_supervisor_port);
      authority = raw(m_access.admin, answer.supervisor_url, "/cacerts");
    }
    if (!authority) {
      answer.members_problem = authority.error().message;
      return;
    }
    answer.cluster_ca = k3s::cluster_ca_of_file(*authority);
    auto members = ask_members(m_processes, m_access, answer.supervisor_url, m_stop);
    if (members) {
      answer.members = std::move(*members);
    } else {
      answer.members_problem = members.error().message;
    }
  }

  ProcessRunner& m_processes;
  const Access& m_access;
  const std::stop_token& m_stop;
};

} // namespace

std::string url_of(std::string_view address, std::string_view port) {
  const bool six = address.find(':') != std::string_view::npos;
  std::string url = "https://";
  url.append(six ? "[" : "").append(address).append(six ? "]:" : ":").append(port);
  return url;
}

std::string port_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  url.remove_prefix(scheme == std::string_view::npos ? 0 : scheme + 3);
  url = url.substr(0, url.find('/'));
  if (url.starts_with('[')) {
    url.remove_prefix(std::min(url.find(']'), url.size()));
  }
  const std::size_t colon = url.rfind(':');
  return colon == std::string_view::npos ? std::string() : std::string(url.substr(colon + 1));
}

std::string loopback_url(std::string_view url) {
  const bool six = address_in(url).find(':') != std::string::npos;
  return url_of(six ? "::1" : "127.0.0.1", port_of(url));
}

std::string ServerAnswer::text() const {
  return node_name.empty() ? api_url : node_name + " (" + api_url + ")";
}

Result<std::string> get_raw(ProcessRunner& processes,
                            const Access& access,
                            const std::string& context,
                            const std::string& url,
                            const std::string& path,
                            const std::stop_token& stop) {
  std::vector<std::string> arguments{"--server=" + url};
  if (!context.empty()) {
    arguments.push_back("--context=" + context);
  }
  arguments.insert(arguments.end(), {"get", "--raw=" + path, k_request_limit});
  RB_TRY_ASSIGN(
      ProcessResult result,
      processes.run(k3s::kubectl_spec(access.kubectl, std::move(arguments), k_limit), stop));
  if (result.exit_status != 0) {
    return meaning_of(result, url);
  }
  return std::move(result.out);
}

ServerAnswer ask_server(ProcessRunner& processes,
                        const Access& access,
                        const std::string& api_url,
                        const std::stop_token& stop) {
  return Questions(processes, access, stop).ask(api_url);
}

Result<std::vector<EtcdMember>> ask_members(ProcessRunner& processes,
                                            const Access& access,
                                            const std::string& supervisor_url,
                                            const std::stop_token& stop) {
  RB_TRY_ASSIGN(const std::string text,
                get_raw(processes, access, access.supervisor, supervisor_url, "/db/info", stop));
  return k3s::parse_members(text);
}

Result<std::uint64_t> ask_revision(ProcessRunner& processes,
                                   const Access& access,
                                   const std::string& api_url,
                                   const std::stop_token& stop) {
  RB_TRY_ASSIGN(
      const std::string text,
      get_raw(processes, access, access.admin, api_url, "/api/v1/namespaces?limit=1", stop));
  const auto revision = whole_number<std::uint64_t>(metadata_in(text, "resourceVersion"));
  if (!revision) {
    return Error{ErrorCode::corrupt, api_url + ": a list of namespaces has no version", {}};
  }
  return *revision;
}

void add_members(const std::vector<datastore::Member>& members,
                 std::vector<api::ServerEntry>& servers) {
  for (const datastore::Member& member : members) {
    const std::string address = terminal_text(address_in(member.peer_url));
    const std::string name = k3s::node_of_member(member.name);
    const auto known = std::ranges::find_if(servers, [&](const api::ServerEntry& one) {
      return one.node_name == name || canonical_address(one.address) == address;
    });
    if (address.empty()) {
      continue;
    }
    if (known == servers.end() && servers.size() < api::k_servers_limit) {
      servers.push_back({name, address, {}});
    } else if (known != servers.end() && known->address.empty()) {
      known->address = address;
    }
  }
}

} // namespace rb::cluster
