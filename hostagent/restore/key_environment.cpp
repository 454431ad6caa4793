#include "restore/key_environment.hpp"

#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace rb::restore {

namespace {

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

SecretBytes take_secret(const char* name) {
  char* const value = std::getenv(name);
  if (value == nullptr) {
    return {};
  }
  const MutableByteView bytes(reinterpret_cast<std::uint8_t*>(value), std::strlen(value));
  SecretBytes secret{ByteView(bytes)};
  wipe(bytes);
  ::unsetenv(name);
  return secret;
}

/// A relative $XDG_CONFIG_HOME counts for nothing, as in SOPS.
std::string user_file() {
  constexpr const char* k_file = "/sops/age/keys.txt";
  if (const std::string config = variable("XDG_CONFIG_HOME"); !config.empty()) {
    return config.starts_with('/') ? config + k_file : std::string();
  }
  const std::string home = variable("HOME");
  return home.empty() ? std::string() : home + "/.config" + k_file;
}

} // namespace

KeyEnvironment take_key_environment() {
  KeyEnvironment environment;
  environment.keys = take_secret("SOPS_AGE_KEY");
  environment.key_file = variable("SOPS_AGE_KEY_FILE");
  environment.key_command = variable("SOPS_AGE_KEY_CMD");
  environment.ssh_key = std::getenv("SOPS_AGE_SSH_PRIVATE_KEY_FILE") != nullptr ||
                        std::getenv("SOPS_AGE_SSH_PRIVATE_KEY_CMD") != nullptr;
  environment.user_file = user_file();
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    environment.all.emplace_back(*entry);
  }
  return environment;
}

} // namespace rb::restore
