// What the environment says of private keys, as SOPS reads it (age/keysource.go of SOPS 3.13).
#pragma once

#include "base/secret_bytes.hpp"

#include <string>
#include <vector>

namespace rb::restore {

struct KeyEnvironment {
  SecretBytes keys = {};             ///< SOPS_AGE_KEY: the keys themselves.
  std::string key_file = {};         ///< SOPS_AGE_KEY_FILE.
  std::string key_command = {};      ///< SOPS_AGE_KEY_CMD.
  bool ssh_key = false;              ///< SOPS_AGE_SSH_PRIVATE_KEY_FILE or …_CMD is set.
  std::string user_file = {};        ///< sops/age/keys.txt of this user; empty: unknown.
  std::vector<std::string> all = {}; ///< "NAME=value" of all variables but SOPS_AGE_KEY.
};

/// Reads the variables, and removes and wipes SOPS_AGE_KEY, so that no program that is started
/// inherits it and /proc does not show it. Call it before there is a second thread.
[[nodiscard]] KeyEnvironment take_key_environment();

} // namespace rb::restore
