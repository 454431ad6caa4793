#include "fault/process/tracer.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>

namespace rb::test {

namespace {

constexpr long k_options =
    PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;

struct Thread {
  bool in_call = false;
  Action action;
  std::uint64_t asked = 0; ///< The third argument, before it was made smaller.
};

[[noreturn]] void become(std::vector<std::string> arguments,
                         const std::string& err_path,
                         const TraceOptions& options) {
  const int err = ::open(err_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  const int null = ::open("/dev/null", O_RDWR);
  ::dup2(null, STDIN_FILENO);
  ::dup2(options.with_output ? err : null, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  ::close_range(3, ~0U, 0);
  std::vector<char*> argv;
  for (std::string& argument : arguments) {
    argv.push_back(argument.data());
  }
  argv.push_back(nullptr);
  char language[] = "LC_ALL=C";
  char leaks[] = "ASAN_OPTIONS=detect_leaks=0"; // it uses ptrace, too
  char* environment[] = {language, leaks, nullptr};
  ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
  ::raise(SIGSTOP);
  if (options.prepare) {
    options.prepare();
  }
  ::execve(argv[0], argv.data(), environment);
  ::_exit(127);
}

/// Kills `pid` when its time is up.
class Watchdog {
public:
  Watchdog(pid_t pid, std::chrono::seconds limit)
      : m_thread([this, pid, limit](const std::stop_token& stop) {
          std::unique_lock lock(m_mutex);
          if (!m_done.wait_for(lock, stop, limit, [&] { return stop.stop_requested(); }) &&
              !stop.stop_requested()) {
            ::kill(pid, SIGKILL);
          }
        }) {}

private:
  std::mutex m_mutex;
  std::condition_variable_any m_done;
  std::jthread m_thread;
};

class Session {
public:
  Session(pid_t pid, bool from_marker, const OnCall& on_call)
      : m_pid(pid), m_counts(!from_marker), m_on_call(on_call) {}

  Traced run() {
    int status = 0;
    ::waitpid(m_pid, &status, 0);
    ::ptrace(PTRACE_SETOPTIONS, m_pid, nullptr, k_options);
    resume(m_pid, 0);
    while (!m_ended) {
      const pid_t who = ::waitpid(-1, &status, __WALL);
      if (who < 0) {
        throw std::runtime_error("waitpid failed");
      }
      handle(who, status);
    }
    return m_result;
  }

private:
  void handle(pid_t who, int status) {
    if (WIFEXITED(status) || WIFSIGNALED(status)) {
      if (who == m_pid) {
        m_ended = true;
        m_result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        m_result.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
      }
      return; // a thread, or an orphan that came to us
    }
    if (!WIFSTOPPED(status)) {
      return;
    }
    const int signal = WSTOPSIG(status);
    if (signal == (SIGTRAP | 0x80)) {
      Thread& thread = m_threads[who];
      thread.in_call = !thread.in_call;
      thread.in_call ? enter(who, thread) : leave(who, thread);
      resume(who, 0);
    } else {
      const bool ours = signal == SIGTRAP || (signal == SIGSTOP && !m_threads.contains(who));
      m_threads.try_emplace(who);
      resume(who, ours ? 0 : signal);
    }
  }

  void enter(pid_t who, Thread& thread) {
    user_regs_struct registers{};
    if (::ptrace(PTRACE_GETREGS, who, nullptr, &registers) != 0) {
      return; // it was killed meanwhile
    }
    const auto number = static_cast<long>(registers.orig_rax);
    if (number == SYS_getppid && !m_counts) {
      m_counts = true;
      return;
    }
    // Nothing to decide about the end, and the ways of threads are their own affair.
    if (!m_counts || number == SYS_exit || number == SYS_exit_group || number == SYS_futex) {
      return;
    }
    const Call call{
        m_result.calls++,
        number,
        {registers.rdi, registers.rsi, registers.rdx, registers.r10, registers.r8, registers.r9},
        who};
    thread.action = m_on_call(call);
    apply(who, thread, registers);
  }

  void apply(pid_t who, Thread& thread, user_regs_struct& registers) const {
    switch (thread.action.kind) {
    case Action::Kind::go:
      return;
    case Action::Kind::kill:
      ::kill(m_pid, SIGKILL);
      return;
    case Action::Kind::fail:
      registers.orig_rax = ~0ULL;
      break;
    case Action::Kind::shorten:
      thread.asked = registers.rdx;
      registers.rdx = (registers.rdx + 1) / 2;
      break;
    }
    ::ptrace(PTRACE_SETREGS, who, nullptr, &registers);
  }

  static void leave(pid_t who, Thread& thread) {
    const Action action = std::exchange(thread.action, Action{});
    if (action.kind == Action::Kind::go || action.kind == Action::Kind::kill) {
      return;
    }
    user_regs_struct registers{};
    if (::ptrace(PTRACE_GETREGS, who, nullptr, &registers) != 0) {
      return;
    }
    if (action.kind == Action::Kind::fail) {
      registers.rax = static_cast<std::uint64_t>(-static_cast<std::int64_t>(action.error));
    } else {
      registers.rdx = thread.asked;
    }
    ::ptrace(PTRACE_SETREGS, who, nullptr, &registers);
  }

  static void resume(pid_t who, int signal) {
    ::ptrace(PTRACE_SYSCALL, who, nullptr, static_cast<long>(signal));
  }

  pid_t m_pid;
  bool m_counts;
  const OnCall& m_on_call;
  std::map<pid_t, Thread> m_threads;
  bool m_ended = false;
  Traced m_result;
};

/// What the program had started and left comes to us (PR_SET_CHILD_SUBREAPER).
void wait_for_orphans() {
  while (::waitpid(-1, nullptr, __WALL) > 0) {
  }
}

} // namespace

Traced trace(const std::vector<std::string>& arguments,
             const TraceOptions& options,
             const OnCall& on_call) {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  const std::string err_path = options.output_directory + "/stderr";
  const pid_t pid = ::fork();
  if (pid < 0) {
    throw std::runtime_error("fork failed");
  }
  if (pid == 0) {
    become(arguments, err_path, options);
  }
  Traced result;
  {
    const Watchdog watchdog(pid, options.limit);
    result = Session(pid, options.from_marker, on_call).run();
  }
  wait_for_orphans();
  std::ifstream err(err_path, std::ios::binary);
  result.err.assign(std::istreambuf_iterator<char>(err), {});
  return result;
}

} // namespace rb::test
