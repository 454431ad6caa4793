// railiance-restore: streams, terminal and environment for run().
#include "restore/backups.hpp"
#include "restore/cluster/journal.hpp"
#include "restore/commands.hpp"
#include "restore/proof/namespace_helper.hpp"
#include "restore/proof/scratch_dir.hpp"
#include "restore/secret_input.hpp"
#include "set/directory.hpp"
#include "terminal/program_io.hpp"

#include "base/no_core.hpp"

#include <openssl/crypto.h>

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <utility>
#include <vector>

namespace {

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

void find_backup_dir(rb::restore::Io& io) {
  io.default_backup_dir = variable("RAILIANCE_BACKUP_DIR");
  if (io.default_backup_dir.empty()) {
    io.default_backup_dir = rb::set::directory_of_host(
        "/var/lib/railiance-backup/" + std::string(rb::set::k_noted_directory_name));
    io.says_default_backup_dir = io.default_backup_dir != rb::set::k_usual_directory;
  }
}

} // namespace

int main(int argc, char** argv) {
  // This program again, for the namespaces of `drill --boot`. Not a command for people.
  if (argc == 2 && rb::proof::k_helper_command == argv[1]) {
    return rb::proof::helper_main();
  }
  rb::leave_no_core();
  rb::restore::KeyEnvironment keys = rb::restore::take_key_environment();
  // What openssl.cnf of this host says is no business of a program that must work on any host.
  OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
  std::ios::sync_with_stdio(false);
  const rb::RealClock clock;
  rb::restore::Io io{{"railiance-restore", std::cout, std::cerr, clock}, std::cin};
  io.in_is_terminal = ::isatty(STDIN_FILENO) == 1;
  io.out_is_terminal = ::isatty(STDOUT_FILENO) == 1;
  io.err_is_terminal = rb::can_redraw(STDERR_FILENO);
  find_backup_dir(io);
  io.host_public_key = "/var/lib/railiance-backup/signing.pub";
  io.host_signing_key = "/var/lib/railiance-backup/signing.key";
  io.restore_lock = rb::cluster::k_restore_lock;
  io.scratch_record = rb::proof::k_scratch_record;
  io.rclone_environment = rb::restore::rclone_environment(keys.all);
  io.key_environment = std::move(keys);
  io.ask_secret = rb::restore::ask_on_terminal;
  const std::vector<std::string> args(argv + (argc > 0 ? 1 : 0), argv + argc);
  return rb::flush_results(io, STDOUT_FILENO, rb::restore::run(args, io));
}
