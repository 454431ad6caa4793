#include "offsite/remote_port.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <sstream>

namespace rb::offsite {

namespace {

using Section = std::map<std::string, std::string>;

constexpr int k_https = 443;
constexpr int k_http = 80;
constexpr int k_most_layers = 8; ///< Of remotes that stand on another one.

std::string trimmed(const std::string& text) {
  const std::size_t from = text.find_first_not_of(" \t\r");
  const std::size_t to = text.find_last_not_of(" \t\r");
  return from == std::string::npos ? std::string() : text.substr(from, to - from + 1);
}

std::map<std::string, Section> sections_of(std::string_view text) {
  std::map<std::string, Section> sections;
  std::istringstream stream{std::string(text)};
  std::string name;
  for (std::string raw; std::getline(stream, raw);) {
    const std::string line = trimmed(raw);
    const std::size_t equals = line.find('=');
    if (line.starts_with('[') && line.ends_with(']')) {
      name = line.substr(1, line.size() - 2);
    } else if (!line.starts_with('#') && !line.starts_with(';') && equals != std::string::npos) {
      sections[name][trimmed(line.substr(0, equals))] = trimmed(line.substr(equals + 1));
    }
  }
  return sections;
}

std::optional<int> number_of(const std::string& text) {
  int number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, failed] = std::from_chars(text.data(), end, number);
  const bool is_port = failed == std::errc{} && stop == end && number > 0 && number <= 65535;
  return is_port ? std::optional(number) : std::nullopt;
}

/// Of "https://user@host:9000/path" or "host:9000".
int port_of_address(const std::string& address) {
  const std::size_t scheme = address.find("://");
  std::string host = scheme == std::string::npos ? address : address.substr(scheme + 3);
  host = host.substr(0, host.find('/'));
  host = host.substr(host.rfind('@') + 1);
  const std::size_t colon = host.rfind(':');
  const bool has_port = colon != std::string::npos && host.find(']', colon) == std::string::npos;
  const auto named = has_port ? number_of(host.substr(colon + 1)) : std::nullopt;
  return named.value_or(address.starts_with("http://") ? k_http : k_https);
}

std::string value_of(const Section& section, const std::string& key) {
  const auto found = section.find(key);
  return found == section.end() ? std::string() : found->second;
}

std::optional<int> own_port(const Section& section) {
  if (const auto port = number_of(value_of(section, "port"))) {
    return port;
  }
  for (const char* const key : {"url", "endpoint", "host"}) {
    const std::string address = value_of(section, key);
    const bool is_address =
        key != std::string_view("host") || address.find("://") != std::string::npos;
    if (!address.empty() && is_address) {
      return port_of_address(address);
    }
  }
  static const std::map<std::string, int> usual{{"sftp", 22}, {"ftp", 21}, {"smb", 445}};
  const auto known = usual.find(value_of(section, "type"));
  return known == usual.end() ? k_https : known->second;
}

} // namespace

std::optional<int> remote_port(std::string_view rclone_conf, const std::string& remote) {
  const auto sections = sections_of(rclone_conf);
  std::string name = remote.substr(0, remote.find(':'));
  for (int layer = 0; layer < k_most_layers; ++layer) {
    const auto found = sections.find(name);
    if (found == sections.end() || value_of(found->second, "type").empty() ||
        value_of(found->second, "type") == "local") {
      return std::nullopt;
    }
    const std::string below = value_of(found->second, "remote");
    if (below.find(':') == std::string::npos) {
      return own_port(found->second);
    }
    name = below.substr(0, below.find(':'));
  }
  return std::nullopt;
}

std::string unreachable_hint(std::optional<int> port, const std::vector<int>& let_through) {
  if (let_through.empty() || (port && std::ranges::find(let_through, *port) != let_through.end())) {
    return {};
  }
  std::string ports;
  for (const int one : let_through) {
    ports += (ports.empty() ? "" : ",") + std::to_string(one);
  }
  if (!port) {
    return "the network policy lets the ports " + ports +
           " through: if the remote's is another one, set networkPolicy.offsitePorts";
  }
  return "the remote is at port " + std::to_string(*port) + ", and the network policy lets only " +
         ports + " through: helm upgrade ... --set 'networkPolicy.offsitePorts={" +
         std::to_string(*port) + "}'";
}

} // namespace rb::offsite
