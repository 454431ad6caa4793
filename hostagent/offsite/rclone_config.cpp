#include "offsite/rclone_config.hpp"

#include "set/directory.hpp"

#include "base/digest.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string_view>

namespace rb::offsite {

namespace {

constexpr std::size_t k_config_limit_bytes = 1U << 20U;
constexpr std::size_t k_digest_limit_bytes = 128;
constexpr std::string_view k_copy_name = "rclone.conf";
/// The SHA-256 of the source that the copy was made of.
constexpr std::string_view k_digest_name = "source.sha256";

/// The copy, and what an rclone that was killed left of it: all of it holds passwords.
Status remove_all(set::Directory& directory) {
  RB_TRY_ASSIGN(const auto entries, directory.fs().list());
  for (const DirectoryEntry& entry : entries) {
    if (entry.regular) {
      RB_TRY(directory.fs().remove(entry.name));
    }
  }
  return directory.fs().sync_directory();
}

/// "/etc/railiance-offsite/rclone.conf" -> "/etc/railiance-offsite/rclone-cp-2.conf"
std::string own_file(const std::string& shared, const std::string& node_name) {
  const std::filesystem::path path(shared);
  return (path.parent_path() / (path.stem().string() + "-" + node_name + ".conf")).string();
}

bool has_copy_of(set::Directory& directory, const std::string& digest) {
  const auto known = set::read_text(directory, std::string(k_digest_name), k_digest_limit_bytes);
  return known && *known == digest && directory.fs().open_read(std::string(k_copy_name));
}

} // namespace

RcloneConfig::RcloneConfig(std::string source, const std::string& node_name, std::string directory)
    : m_shared(std::move(source)), m_own(own_file(m_shared, node_name)),
      m_directory(std::move(directory)) {}

const std::string& RcloneConfig::source() const {
  std::error_code ignored;
  return std::filesystem::exists(m_own, ignored) ? m_own : m_shared;
}

std::string RcloneConfig::path() const {
  return m_directory + "/" + std::string(k_copy_name);
}

Status RcloneConfig::refresh() const {
  const auto config = read_secret_file(source(), k_config_limit_bytes);
  if (!config && config.error().code != ErrorCode::not_found) {
    return config.error();
  }
  RB_TRY_ASSIGN(set::Directory directory, set::Directory::open(m_directory));
  if (!config) {
    return remove_all(directory);
  }
  const std::string digest = to_hex(sha256(config->view()));
  if (has_copy_of(directory, digest)) {
    return {};
  }
  RB_TRY(remove_all(directory));
  // The digest last: a copy that was cut off is made again.
  RB_TRY(set::replace_file(directory, std::string(k_copy_name), config->view()));
  return set::replace_file(directory, std::string(k_digest_name), as_bytes(digest));
}

namespace {

using Section = std::map<std::string, std::string>;

constexpr int k_https = 443;
constexpr int k_http = 80;
constexpr int k_socks = 1080;

/// As rclone reads it: a key ends with '=' or ':', whichever comes first.
std::map<std::string, Section> sections_of(std::string_view text) {
  std::map<std::string, Section> sections;
  std::istringstream stream{std::string(text)};
  std::string name;
  for (std::string raw; std::getline(stream, raw);) {
    const std::string line(trimmed(raw));
    const std::size_t key_end = line.find_first_of("=:");
    if (line.starts_with('[') && line.ends_with(']')) {
      name = trimmed(std::string_view(line).substr(1, line.size() - 2));
    } else if (!line.starts_with('#') && !line.starts_with(';') && key_end != std::string::npos) {
      sections[name][std::string(trimmed(line.substr(0, key_end)))] =
          trimmed(line.substr(key_end + 1));
    }
  }
  return sections;
}

std::optional<int> number_of(const std::string& text) {
  const auto number = whole_number<int>(text);
  return number && *number > 0 && *number <= 65535 ? number : std::nullopt;
}

/// Of "https://user@host:9000/path" or "host:9000"; `usual` where it names none.
int port_of_address(const std::string& address, int usual) {
  const std::size_t scheme = address.find("://");
  std::string host = scheme == std::string::npos ? address : address.substr(scheme + 3);
  host = host.substr(0, host.find('/'));
  host = host.substr(host.rfind('@') + 1);
  const std::size_t colon = host.rfind(':');
  const bool has_port = colon != std::string::npos && host.find(']', colon) == std::string::npos;
  const auto named = has_port ? number_of(host.substr(colon + 1)) : std::nullopt;
  return named.value_or(address.starts_with("http://") ? k_http : usual);
}

/// "23,445"
std::string joined(const std::vector<int>& ports) {
  std::string text;
  for (const int port : ports) {
    text += (text.empty() ? "" : ",") + std::to_string(port);
  }
  return text;
}

std::string value_of(const Section& section, const std::string& key) {
  const auto found = section.find(key);
  return found == section.end() ? std::string() : found->second;
}

int own_port(const Section& section) {
  static const std::map<std::string, int> usual_ports{
      {"sftp", 22}, {"ftp", 21}, {"smb", 445}, {"hdfs", 8020}, {"storj", 7777}};
  if (const auto port = number_of(value_of(section, "port"))) {
    return *port;
  }
  const auto known = usual_ports.find(value_of(section, "type"));
  const int usual = known == usual_ports.end() ? k_https : known->second;
  for (const char* const key : {"url", "endpoint", "namenode", "satellite_address"}) {
    if (const std::string address = value_of(section, key); !address.empty()) {
      return port_of_address(address, usual);
    }
  }
  for (const char* const key : {"host", "auth"}) { // a name or a word, too
    if (const std::string address = value_of(section, key);
        address.find("://") != std::string::npos) {
      return port_of_address(address, usual);
    }
  }
  return usual;
}

/// Of the proxy through which SFTP, FTP and WebDAV go where their sections name one.
std::optional<int> proxy_port(const Section& section) {
  if (const std::string socks = value_of(section, "socks_proxy"); !socks.empty()) {
    return port_of_address(socks, k_socks);
  }
  const std::string http = value_of(section, "http_proxy");
  return http.empty() ? std::nullopt : std::optional(port_of_address(http, k_https));
}

void add_own_ports(const Section& section, std::set<int>& ports, bool& changing) {
  const std::string type = value_of(section, "type");
  if (const auto proxy = proxy_port(section)) {
    ports.insert(*proxy);
    return;
  }
  ports.insert(own_port(section));
  if (type == "mega" && value_of(section, "use_https") != "true") {
    ports.insert(k_http); // what is in the files; they are encrypted before
  }
  changing = changing || type == "ftp";
}

/// A list of rclone's: separated by blanks, words with blanks are quoted.
std::vector<std::string> listed(const std::string& text) {
  std::vector<std::string> words;
  bool open = false;
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ' ' && !quoted) {
      open = false;
    } else {
      if (!open) {
        words.emplace_back();
      }
      open = true;
      words.back() += c;
    }
  }
  return words;
}

/// The remotes that this one stands on: `remote` (crypt, alias, ...), `upstreams` of a union, and
/// of a combine, where each has a directory ("DIRECTORY=NAME:PATH"). Not those of this disk.
std::vector<std::string> stands_on(const Section& section) {
  std::vector<std::string> below = listed(value_of(section, "upstreams"));
  if (value_of(section, "type") == "combine") {
    for (std::string& remote : below) {
      remote.erase(0, remote.find('=') + 1);
    }
  }
  below.push_back(value_of(section, "remote"));
  std::erase_if(below,
                [](const std::string& remote) { return remote.find(':') == std::string::npos; });
  return below;
}

/// The ports of "dial tcp 10.0.0.5:9000: i/o timeout" and "dial tcp [fd00::1]:22->…".
std::set<int> dialed_ports(std::string_view said) {
  constexpr std::string_view k_dial = "dial tcp ";
  std::set<int> ports;
  for (std::size_t at = said.find(k_dial); at != std::string_view::npos;
       at = said.find(k_dial, at)) {
    at += k_dial.size();
    std::string address(said.substr(at, said.find_first_of(" \n", at) - at));
    address.erase(0, address.find("->") == std::string::npos ? 0 : address.find("->") + 2);
    while (address.ends_with(':')) {
      address.pop_back();
    }
    const std::size_t colon = address.rfind(':');
    const auto port =
        colon == std::string::npos ? std::nullopt : number_of(address.substr(colon + 1));
    if (port && address.find(']', colon) == std::string::npos) {
      ports.insert(*port);
    }
  }
  return ports;
}

std::vector<int> without(const std::set<int>& ports, const std::vector<int>& others) {
  std::vector<int> left;
  std::ranges::copy_if(ports, std::back_inserter(left), [&](int port) {
    return std::ranges::find(others, port) == others.end();
  });
  return left;
}

} // namespace

RemotePorts remote_ports(std::string_view rclone_conf, const std::string& remote) {
  const auto sections = sections_of(rclone_conf);
  std::vector<std::string> left{remote};
  std::set<std::string> seen;
  std::set<int> ports;
  bool changing = false;
  while (!left.empty()) {
    const std::string name = left.back().substr(0, left.back().find(':'));
    left.pop_back();
    const auto found = sections.find(name);
    if (found == sections.end() || value_of(found->second, "type").empty()) {
      return {};
    }
    if (!seen.insert(name).second || value_of(found->second, "type") == "local") {
      continue;
    }
    const std::vector<std::string> below = stands_on(found->second);
    if (below.empty()) {
      add_own_ports(found->second, ports, changing);
    }
    left.insert(left.end(), below.begin(), below.end());
  }
  return {{ports.begin(), ports.end()}, changing};
}

std::string unreachable_hint(const RemotePorts& ports,
                             const std::vector<int>& let_through,
                             std::string_view said) {
  if (let_through.empty()) {
    return {};
  }
  const std::set<int> dialed = dialed_ports(said);
  std::set<int> needed(ports.numbers.begin(), ports.numbers.end());
  if (needed.empty() && dialed.empty()) {
    return "the network policy lets the ports " + joined(let_through) +
           " through: if the remote's is another one, set networkPolicy.offsitePorts";
  }
  if (needed.empty()) { // those that it has got to already stay
    needed.insert(let_through.begin(), let_through.end());
  }
  needed.insert(dialed.begin(), dialed.end());
  const std::vector<int> shut = without(needed, let_through);
  if (shut.empty()) {
    return {};
  }
  if (ports.changing) {
    return "FTP takes a second connection, to a port that the server chooses each time, which "
           "networkPolicy.offsitePorts cannot name: use SFTP or WebDAV, or a NetworkPolicy of your "
           "own (docs/offsite.md)";
  }
  return "the remote is at port " + joined(shut) + ", and the network policy lets only " +
         joined(let_through) +
         " through: helm upgrade ... --reset-then-reuse-values --set "
         "'networkPolicy.offsitePorts={" +
         joined({needed.begin(), needed.end()}) + "}'";
}

} // namespace rb::offsite
