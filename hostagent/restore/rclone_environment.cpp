#include "restore/rclone_environment.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace rb::restore {

namespace {

constexpr std::array<std::string_view, 18> k_for_rclone{"PATH",
                                                        "HOME",
                                                        "USER",
                                                        "LOGNAME",
                                                        "XDG_CONFIG_HOME",
                                                        "TMPDIR",
                                                        "SSL_CERT_FILE",
                                                        "SSL_CERT_DIR",
                                                        "SSH_AUTH_SOCK",
                                                        "RCLONE_PASSWORD_COMMAND",
                                                        "RCLONE_CA_CERT",
                                                        "GOOGLE_APPLICATION_CREDENTIALS",
                                                        "HTTP_PROXY",
                                                        "HTTPS_PROXY",
                                                        "NO_PROXY",
                                                        "http_proxy",
                                                        "https_proxy",
                                                        "no_proxy"};
/// A remote may be in the environment alone (RCLONE_CONFIG_NAME_TYPE), and with `env_auth` the keys
/// of S3, Azure and Swift.
constexpr std::array<std::string_view, 4> k_begin_for_rclone{
    "RCLONE_CONFIG", "AWS_", "AZURE_", "OS_"};

bool is_for_rclone(std::string_view name) {
  return std::ranges::find(k_for_rclone, name) != k_for_rclone.end() ||
         std::ranges::any_of(k_begin_for_rclone,
                             [&](std::string_view begin) { return name.starts_with(begin); });
}

} // namespace

std::map<std::string, std::string> rclone_environment(const std::vector<std::string>& all) {
  std::map<std::string, std::string> environment;
  for (const std::string& entry : all) {
    const std::size_t equals = std::min(entry.find('='), entry.size());
    const std::string name = entry.substr(0, equals);
    if (is_for_rclone(name) && entry.size() > equals + 1) { // an empty one counts for nothing
      environment.emplace(name, entry.substr(equals + 1));
    }
  }
  return environment;
}

} // namespace rb::restore
