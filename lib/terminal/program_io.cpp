#include "terminal/program_io.hpp"

#include "terminal/terminal_text.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <utility>

namespace rb {

namespace {

/// By nohup(1). A signal that is blocked would be queued all the same.
bool is_ignored_hangup(int signal) {
  struct sigaction now {};
  return signal == SIGHUP && ::sigaction(signal, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

} // namespace

int fail(const ProgramIo& io, const Error& error, ExitCode code) {
  io.err << io.program << ": " << terminal_text(error.message) << '\n';
  if (!error.hint.empty()) {
    io.err << "hint: " << terminal_text(error.hint) << '\n';
  }
  return static_cast<int>(code);
}

int fail(const ProgramIo& io, const Error& error) {
  return fail(io, error, exit_code_for(error.code));
}

void warn(const ProgramIo& io, std::string_view message) {
  io.err << io.program << ": warning: " << terminal_text(message) << '\n';
}

int flush_results(const ProgramIo& io, int out_fd, int code) {
  io.out.flush();
  struct stat target {};
  const bool piped =
      ::fstat(out_fd, &target) == 0 && (S_ISFIFO(target.st_mode) || S_ISSOCK(target.st_mode));
  if (io.out || piped || code != static_cast<int>(ExitCode::done)) {
    return code;
  }
  return fail(io,
              {ErrorCode::io,
               "standard output: the result cannot be written, or not all of it",
               "is the disk full?"});
}

Error usage_error(std::string message,
                  const std::vector<std::string>& remaining,
                  const std::string& program,
                  std::string_view commands) {
  if (message == "A subcommand is required") { // to CLI11 a wrong one is none
    const auto wrong = std::ranges::find_if(
        remaining, [](const std::string& word) { return !word.starts_with('-'); });
    message = wrong == remaining.end() ? "a command is required: " + std::string(commands)
                                       : "there is no command '" + *wrong + "'";
  }
  // Not the names of arguments: "FILE is required".
  if (message.size() > 1 && std::islower(static_cast<unsigned char>(message[1])) != 0) {
    message[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(message[0])));
  }
  return {ErrorCode::invalid_argument, std::move(message), program + " --help lists all"};
}

StopSignals::StopSignals(std::initializer_list<int> signals, const std::stop_token& outer)
    : m_end(::eventfd(0, EFD_CLOEXEC)), m_on_outer(outer, [this] { m_stop.request_stop(); }) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) {
    if (!is_ignored_hangup(signal)) {
      sigaddset(&set, signal);
    }
  }
  ::pthread_sigmask(SIG_BLOCK, &set, &m_before);
  m_signals = Fd(::signalfd(-1, &set, SFD_CLOEXEC));
  m_thread = std::jthread([this] { watch(); });
}

StopSignals::~StopSignals() {
  const std::uint64_t one = 1;
  static_cast<void>(::write(m_end.get(), &one, sizeof one)); // of an eventfd: cannot fail here
  m_thread.join();
  ::pthread_sigmask(SIG_SETMASK, &m_before, nullptr);
}

void StopSignals::watch() {
  std::array<pollfd, 2> polled{{{m_signals.get(), POLLIN, 0}, {m_end.get(), POLLIN, 0}}};
  bool hung_up = false; // and nothing else has asked for it yet
  while (true) {
    if (::poll(polled.data(), polled.size(), -1) < 0) {
      continue;
    }
    if (polled[1].revents != 0) {
      return;
    }
    signalfd_siginfo info{};
    if (::read(m_signals.get(), &info, sizeof info) != sizeof info) {
      continue;
    }
    const int signal = static_cast<int>(info.ssi_signo);
    int none = 0;
    m_seen.compare_exchange_strong(none, signal);
    const bool first = m_stop.request_stop();
    if (signal == SIGHUP) {
      hung_up = hung_up || first;
    } else if (!first && !std::exchange(hung_up, false)) {
      ::_exit(128 + signal);
    }
  }
}

bool can_redraw(int fd) {
  const char* const terminal = std::getenv("TERM");
  return ::isatty(fd) == 1 && (terminal == nullptr || std::string_view(terminal) != "dumb");
}

unsigned columns_of(int fd) {
  winsize size{};
  return ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80U;
}

} // namespace rb
