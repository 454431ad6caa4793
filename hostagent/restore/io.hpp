// What a command of railiance-restore touches besides the disk, so that tests run whole commands
// in their own process.
#pragma once

#include "restore/secret_input.hpp"
#include "terminal/program_io.hpp"

#include "base/result.hpp"
#include "base/secret_bytes.hpp"

#include <functional>
#include <istream>
#include <map>
#include <string>

namespace rb::restore {

struct Io : ProgramIo {
  std::istream& in; ///< `decrypt … -` reads it.
  bool in_is_terminal = false;
  std::string default_backup_dir = {};  ///< $RAILIANCE_BACKUP_DIR, else the one of the agent.
  bool says_default_backup_dir = false; ///< It is not where people look for it.
  /// Where the agent of this host keeps its public key; empty: nowhere.
  std::string host_public_key = {};
  /// Where the agent of this host keeps the key that signs; empty: nowhere.
  std::string host_signing_key = {};
  /// The lock of restores of this host, which reads sets for long; empty: nowhere.
  std::string restore_lock = {};
  /// Where the host's scratch directories are written down; empty: nowhere, and none is swept.
  std::string scratch_record = {};
  KeyEnvironment key_environment = {}; ///< Where SOPS would look for private keys.
  /// Asks on the terminal, without echo; empty: there is none.
  std::function<Result<SecretBytes>(const std::string& question)> ask_secret = {};
  /// What rclone may know of this process's environment: PATH, HOME, proxies, RCLONE_CONFIG….
  std::map<std::string, std::string> rclone_environment = {};
};

} // namespace rb::restore
