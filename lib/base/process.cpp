#include "base/process.hpp"

#include "base/bytes.hpp"
#include "base/fd.hpp"
#include "base/open_beneath.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

namespace rb {

namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr auto k_poll_step = std::chrono::milliseconds(50);
constexpr auto k_grace = std::chrono::seconds(5);

struct Pipe {
  Fd read_end;
  Fd write_end;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0) {
    return system_error(errno, "pipe");
  }
  return Pipe{Fd(fds[0]), Fd(fds[1])};
}

struct Stream {
  Fd fd;
  std::string* text;
  const std::function<bool(std::string_view)>* take; ///< In place of `text`; may be empty.
  bool refused = false;
};

/// Reads what is there; closes the stream at its end.
void drain(Stream& stream, std::size_t limit_bytes) {
  std::array<char, 16384> buffer{};
  const ssize_t got = ::read(stream.fd.get(), buffer.data(), buffer.size());
  if (got > 0 && *stream.take) {
    const std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
    stream.refused = stream.refused || !(*stream.take)(bytes);
  } else if (got > 0) {
    const std::size_t room = limit_bytes - std::min(limit_bytes, stream.text->size());
    stream.text->append(buffer.data(), std::min(room, static_cast<std::size_t>(got)));
  } else if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
    stream.fd = Fd();
  }
}

void poll_streams(std::array<Stream, 2>& streams, std::size_t limit_bytes) {
  std::array<pollfd, 2> polled{};
  for (std::size_t i = 0; i < streams.size(); ++i) {
    polled[i] = {streams[i].fd.valid() ? streams[i].fd.get() : -1, POLLIN, 0};
  }
  if (::poll(polled.data(), polled.size(), static_cast<int>(k_poll_step.count())) <= 0) {
    return;
  }
  for (std::size_t i = 0; i < streams.size(); ++i) {
    if (polled[i].revents != 0) {
      drain(streams[i], limit_bytes);
    }
  }
}

/// Ends the process group when its time is up or when we are told to stop.
class Reaper {
public:
  Reaper(pid_t pid, SteadyClock::time_point deadline) : m_pid(pid), m_deadline(deadline) {}

  /// `refused`: what it does is not wanted any more.
  void tick(bool stop_requested, bool refused) {
    const auto now = SteadyClock::now();
    if (!m_terminated && (stop_requested || refused || now >= m_deadline)) {
      m_refused = refused && !stop_requested;
      m_timed_out = !stop_requested && !refused;
      m_terminated = true;
      m_kill_at = now + k_grace;
      ::kill(-m_pid, SIGTERM);
    } else if (m_terminated && now >= m_kill_at) {
      ::kill(-m_pid, SIGKILL);
    }
  }
  [[nodiscard]] bool timed_out() const { return m_timed_out; }
  [[nodiscard]] bool refused() const { return m_refused; }
  [[nodiscard]] bool terminated() const { return m_terminated; }

private:
  pid_t m_pid;
  SteadyClock::time_point m_deadline;
  SteadyClock::time_point m_kill_at;
  bool m_terminated = false;
  bool m_timed_out = false;
  bool m_refused = false;
};

/// What posix_spawn(3) is told of files and signals.
class SpawnSetup {
public:
  explicit SpawnSetup(const SpawnOrder& order) {
    posix_spawn_file_actions_init(&m_actions);
    posix_spawn_file_actions_addopen(&m_actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    for (const auto& [ours, theirs] : order.files) {
      posix_spawn_file_actions_adddup2(&m_actions, ours, theirs);
    }
    posix_spawnattr_init(&m_attributes);
    const int group = order.own_group ? POSIX_SPAWN_SETPGROUP : 0;
    posix_spawnattr_setflags(
        &m_attributes, static_cast<short>(group | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
    posix_spawnattr_setpgroup(&m_attributes, 0);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&m_attributes, &signals);
    sigaddset(&signals, SIGPIPE);
    posix_spawnattr_setsigdefault(&m_attributes, &signals);
  }
  ~SpawnSetup() {
    posix_spawnattr_destroy(&m_attributes);
    posix_spawn_file_actions_destroy(&m_actions);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;
  SpawnSetup(SpawnSetup&&) = delete;
  SpawnSetup& operator=(SpawnSetup&&) = delete;

  [[nodiscard]] const posix_spawn_file_actions_t* actions() const { return &m_actions; }
  [[nodiscard]] const posix_spawnattr_t* attributes() const { return &m_attributes; }

private:
  posix_spawn_file_actions_t m_actions{};
  posix_spawnattr_t m_attributes{};
};

} // namespace

Result<int> spawn(SpawnOrder order) {
  const SpawnSetup setup(order);
  const auto start = order.on_path ? ::posix_spawnp : ::posix_spawn;
  pid_t pid = -1;
  const int failed = start(&pid,
                           order.words.front().c_str(),
                           setup.actions(),
                           setup.attributes(),
                           pointers_to(order.words).data(),
                           pointers_to(order.environment).data());
  for (std::string& variable : order.environment) {
    wipe({reinterpret_cast<std::uint8_t*>(variable.data()), variable.size()});
  }
  if (failed != 0) {
    return system_error(failed, order.words.front() + ": cannot be started");
  }
  return pid;
}

SpawnOrder spawn_order(const ProcessSpec& spec) {
  SpawnOrder order;
  order.words.push_back(spec.program);
  order.words.insert(order.words.end(), spec.arguments.begin(), spec.arguments.end());
  for (const auto& [name, value] : spec.environment) {
    order.environment.push_back(name + "=" + value);
  }
  return order;
}

Result<ProcessResult> RealProcessRunner::run(const ProcessSpec& spec, std::stop_token stop) {
  RB_TRY_ASSIGN(Pipe out, make_pipe());
  RB_TRY_ASSIGN(Pipe err, make_pipe());

  SpawnOrder order = spawn_order(spec);
  order.files = {{out.write_end.get(), STDOUT_FILENO}, {err.write_end.get(), STDERR_FILENO}};
  RB_TRY_ASSIGN(const pid_t pid, spawn(std::move(order)));
  out.write_end = Fd();
  err.write_end = Fd();

  ProcessResult result;
  const std::function<bool(std::string_view)> keep;
  std::array<Stream, 2> streams{Stream{std::move(out.read_end), &result.out, &spec.on_output},
                                Stream{std::move(err.read_end), &result.err, &keep}};
  Reaper reaper(pid, SteadyClock::now() + spec.timeout);
  int status = 0;
  bool exited = false;
  // A grandchild may hold the pipes open after the program has ended: don't wait for it.
  while (!exited) {
    poll_streams(streams, spec.output_limit_bytes);
    reaper.tick(stop.stop_requested(), streams[0].refused || (spec.go_on && !spec.go_on()));
    const pid_t waited = ::waitpid(pid, &status, WNOHANG);
    if (waited < 0 && errno != EINTR) {
      return system_error(errno, spec.program + ": wait");
    }
    exited = waited == pid;
    if (!exited && !streams[0].fd.valid() && !streams[1].fd.valid()) {
      ::usleep(1000);
    }
  }
  for (Stream& stream : streams) {
    while (stream.fd.valid()) {
      pollfd polled{stream.fd.get(), POLLIN, 0};
      if (::poll(&polled, 1, 0) <= 0) {
        break;
      }
      drain(stream, spec.output_limit_bytes);
    }
  }
  result.refused = reaper.refused() || streams[0].refused;
  if (reaper.terminated() && !reaper.timed_out() && !reaper.refused()) {
    return Error{ErrorCode::cancelled, spec.program + ": stopped before it ended", {}};
  }
  result.timed_out = reaper.timed_out();
  result.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  result.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  return result;
}

Result<ProcessResult> TrustedRunner::run(const ProcessSpec& spec, std::stop_token stop) {
  const Status checked = check_root_owned(spec.program);
  if (!checked && checked.error().code != ErrorCode::not_found) {
    return checked.error();
  }
  return m_runner.run(spec, std::move(stop));
}

} // namespace rb
