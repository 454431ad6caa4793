// railiance-backup: signals, terminal and random numbers for run().
#include "cli/commands.hpp"
#include "cli/connect.hpp"
#include "cli/install/package.hpp"
#include "terminal/program_io.hpp"

#include "base/bytes.hpp"
#include "base/no_core.hpp"
#include "kube/transport.hpp"

#include <openssl/rand.h>

#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string_view>

namespace {

std::string random_id() {
  std::array<std::uint8_t, 16> bytes{};
  RAND_bytes(bytes.data(), static_cast<int>(bytes.size()));
  return rb::to_hex(bytes);
}

/// no-color.org: set and not empty, whatever its value.
bool wants_colour() {
  const char* const no_color = std::getenv("NO_COLOR");
  const char* const terminal = std::getenv("TERM");
  return (no_color == nullptr || *no_color == '\0') &&
         (terminal == nullptr || std::string_view(terminal) != "dumb");
}

/// What it was called, also through links: the bundle's launcher passes it on.
std::string_view name_of(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

std::string own_program() {
  std::array<char, 4096> path{};
  const ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size());
  return size < 0 ? std::string() : std::string(path.data(), static_cast<std::size_t>(size));
}

} // namespace

int main(int argc, char** argv) {
  rb::leave_no_core();
  const rb::StopSignals signals({SIGINT, SIGTERM});
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
  rb::kube::initialize_http_threads(2);
  const rb::RealClock clock;
  const std::vector<std::string> args(argv + (argc > 0 ? 1 : 0), argv + argc);
  const std::string_view called = name_of(argc > 0 ? argv[0] : "");
  const bool asked_by_kubectl = called == rb::cli::k_plugin_completion_file;
  const bool plugin = asked_by_kubectl || called == rb::cli::k_plugin_file;
  rb::cli::Io io{{plugin ? rb::cli::k_plugin : rb::cli::k_program, std::cout, std::cerr, clock}};
  io.connect = rb::cli::connect_to_cluster;
  io.random_id = random_id;
  io.stop = signals.token();
  io.stop_signal = [&signals] { return signals.seen(); };
  io.err_is_terminal = rb::can_redraw(STDERR_FILENO);
  io.out_is_terminal = isatty(STDOUT_FILENO) == 1;
  io.out_colour = io.out_is_terminal && wants_colour();
  io.terminal_width = rb::columns_of(STDERR_FILENO);
  rb::RealProcessRunner runner;
  rb::TrustedRunner processes(runner); // as root, only what root alone can change
  rb::RealWaiter waiter;
  io.processes = &processes;
  io.waiter = &waiter;
  io.package_places = rb::install::package_places(own_program());
  io.look_at_host = [](const std::string& k3s) { return rb::install::look_at_host({}, k3s); };
  const int code =
      asked_by_kubectl ? rb::cli::complete_for_kubectl(args, io) : rb::cli::run(args, io);
  return rb::flush_results(io, STDOUT_FILENO, code);
}
