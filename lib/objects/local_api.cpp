#include "objects/local_api.hpp"

#include "archive/entry_path.hpp"
#include "base/fd.hpp"
#include "base/process.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>

namespace rb::objects {

namespace {

/// More than the largest object whose metadata an API server takes (3 MiB, six times that where
/// each byte is escaped). Of larger ones a list comes in smaller pages.
constexpr std::size_t k_answer_limit_bytes = std::size_t{32} << 20U;

Error broken(const char* what) {
  return {ErrorCode::corrupt, std::string("the API server: ") + what, {}};
}

Result<Fd> connect_to(const std::string& path, std::chrono::seconds timeout) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return Error{ErrorCode::invalid_argument,
                 path + ": too long for the name of a socket",
                 "choose a shorter scratch directory: --scratch-dir"};
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) {
    return system_error(errno, path + ": socket");
  }
  const timeval limit{timeout.count(), 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
  // sockets want it so
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return Error{ErrorCode::unavailable, path + ": nobody answers", {}, errno};
  }
  return socket;
}

Result<std::string> read_all(const Fd& socket, const std::string& path) {
  std::string text;
  std::array<char, 65536> buffer{};
  while (true) {
    const ssize_t got = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (got == 0) {
      return text;
    }
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      const bool late = errno == EAGAIN;
      return Error{late ? ErrorCode::timeout : ErrorCode::unavailable,
                   path + (late ? ": no answer in time" : ": the connection broke"),
                   {},
                   errno};
    }
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > k_answer_limit_bytes) {
      return Error{ErrorCode::unsupported, path + ": an answer is too large", {}};
    }
  }
}

/// Content-Length of the head, or -1 where there is none. Names in any case.
long long announced_length(std::string head) {
  for (char& c : head) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  constexpr std::string_view k_name = "\r\ncontent-length:";
  std::size_t at = head.find(k_name);
  if (at == std::string::npos) {
    return -1;
  }
  at = head.find_first_not_of(' ', at + k_name.size());
  long long length = -1;
  if (at != std::string::npos) {
    std::from_chars(head.data() + at, head.data() + head.size(), length);
  }
  return length;
}

using namespace std::chrono_literals;

constexpr auto k_answer_timeout = std::chrono::seconds(60);
constexpr auto k_interval = 50ms;
constexpr int k_end_tries = 100; ///< Five seconds, then it is killed.

/// Blocks all signals while it lives.
class SignalsBlocked {
public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &m_before);
  }
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &m_before, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;
  SignalsBlocked(SignalsBlocked&&) = delete;
  SignalsBlocked& operator=(SignalsBlocked&&) = delete;

private:
  sigset_t m_before{};
};

/// In the child; only what may be called between fork and exec. Signals are blocked.
[[noreturn]] void
become(const char* program, char* const* argv, char* const* envp, int null, int log, pid_t parent) {
  // posix_spawn cannot ask for this: a proxy that nobody ends would leave the API open.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::getppid() != parent) {
    ::_exit(126);
  }
  ::setpgid(0, 0); // what a terminal sends is for us
  // Our handlers must not run in it.
  for (int number = 1; number < NSIG; ++number) {
    static_cast<void>(::signal(number, SIG_DFL)); // two of them cannot be set
  }
  sigset_t none;
  sigemptyset(&none);
  ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
  ::dup2(null, STDIN_FILENO);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  ::execve(program, argv, envp);
  ::_exit(127);
}

Result<pid_t> start(const ProcessSpec& spec, const std::string& log_path) {
  if (::access(spec.program.c_str(), X_OK) != 0) {
    return system_error(errno, spec.program);
  }
  std::vector<std::string> words{spec.program};
  words.insert(words.end(), spec.arguments.begin(), spec.arguments.end());
  std::vector<std::string> variables;
  for (const auto& [name, value] : spec.environment) {
    variables.push_back(std::string(name).append("=").append(value));
  }
  const std::vector<char*> argv = pointers_to(words);
  const std::vector<char*> envp = pointers_to(variables);
  RB_TRY_ASSIGN(const Fd null, open_file("/dev/null", O_RDWR));
  ::unlink(log_path.c_str());
  RB_TRY_ASSIGN(const Fd log, open_file(log_path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  const pid_t parent = ::getpid();
  const SignalsBlocked blocked;
  const pid_t pid = ::fork();
  if (pid < 0) {
    return system_error(errno, spec.program + ": cannot be started");
  }
  if (pid == 0) {
    become(spec.program.c_str(), argv.data(), envp.data(), null.get(), log.get(), parent);
  }
  return pid;
}

constexpr std::size_t k_log_limit_bytes = std::size_t{1} << 20U;
constexpr std::size_t k_words_limit = 300;

/// Why the proxy gave up; empty where it only says that it serves.
std::string last_line_of(const std::string& log_path) {
  const auto log = read_text_file(log_path, k_log_limit_bytes);
  const std::string_view line = log ? last_line(*log) : std::string_view();
  return line.starts_with("Starting to serve") ? std::string()
                                               : archive::printable(line.substr(0, k_words_limit));
}

/// What failed, in the words of whoever answers: of a proxy that cannot get through one line, of an
/// API server that is not ready a list that ends with a summary.
std::string words_of(const ApiAnswer& answer) {
  return "HTTP " + std::to_string(answer.status) + ": " +
         archive::printable(last_line(answer.body).substr(0, k_words_limit));
}

class KubectlProxy final : public ApiPort {
public:
  KubectlProxy(pid_t pid, const std::string& socket_path, Waiter& waiter)
      : m_api(socket_path, k_answer_timeout), m_socket_path(socket_path), m_waiter(waiter),
        m_pid(pid) {}
  ~KubectlProxy() override {
    if (!ended()) {
      ::kill(m_pid, SIGTERM);
    }
    for (int tries = 0; !ended() && tries < k_end_tries; ++tries) {
      m_waiter.wait(k_interval, {});
    }
    if (!ended()) {
      ::kill(m_pid, SIGKILL);
      while (::waitpid(m_pid, nullptr, 0) < 0 && errno == EINTR) {
      }
    }
    ::unlink(m_socket_path.c_str());
    ::unlink((m_socket_path + ".log").c_str());
  }
  KubectlProxy(const KubectlProxy&) = delete;
  KubectlProxy& operator=(const KubectlProxy&) = delete;
  KubectlProxy(KubectlProxy&&) = delete;
  KubectlProxy& operator=(KubectlProxy&&) = delete;

  [[nodiscard]] Result<ApiAnswer> get(const std::string& path, const std::string& accept) override {
    return m_api.get(path, accept);
  }

  [[nodiscard]] bool ended() {
    m_ended = m_ended || ::waitpid(m_pid, nullptr, WNOHANG) == m_pid;
    return m_ended;
  }

private:
  SocketApi m_api;
  std::string m_socket_path;
  Waiter& m_waiter;
  pid_t m_pid;
  bool m_ended = false;
};

} // namespace

Result<ApiAnswer> parse_answer(std::string_view text) {
  const std::size_t end = text.find("\r\n\r\n");
  if (!text.starts_with("HTTP/1.") || end == std::string_view::npos || text.size() < 12) {
    return broken("not an HTTP answer");
  }
  ApiAnswer answer;
  const auto parsed = std::from_chars(text.data() + 9, text.data() + 12, answer.status);
  if (parsed.ec != std::errc() || answer.status < 100) {
    return broken("not an HTTP answer");
  }
  answer.body = std::string(text.substr(end + 4));
  const long long announced = announced_length(std::string(text.substr(0, end)));
  if (announced >= 0 && static_cast<std::size_t>(announced) != answer.body.size()) {
    return broken("an answer was cut off");
  }
  return answer;
}

Result<ApiAnswer> SocketApi::get(const std::string& path, const std::string& accept) {
  RB_TRY_ASSIGN(const Fd socket, connect_to(m_path, m_timeout));
  // HTTP/1.0: the answer comes unchunked and ends with the connection.
  const std::string request =
      "GET " + path + " HTTP/1.0\r\nHost: localhost\r\nAccept: " + accept + "\r\n\r\n";
  RB_TRY(write_all(socket, as_bytes(request), m_path));
  RB_TRY_ASSIGN(const std::string text, read_all(socket, m_path));
  return parse_answer(text);
}

ProcessSpec proxy_spec(const ProxyOrder& order) {
  ProcessSpec spec;
  spec.program = order.program;
  spec.environment = order.environment;
  spec.arguments = {
      "kubectl", "proxy", "--kubeconfig=" + order.kubeconfig, "--unix-socket=" + order.socket_path};
  return spec;
}

Status await_proxy(ApiPort& api, Waiter& waiter, const ProxyWait& wait) {
  std::string said;
  for (auto waited = 0ms;; waited += k_interval) {
    if (wait.stop.stop_requested()) {
      return Error{ErrorCode::cancelled, "told to stop while waiting for the API", {}};
    }
    const auto answer = api.get("/readyz", "*/*");
    if (answer && answer->status == 200) {
      return {};
    }
    if (!answer && answer.error().code == ErrorCode::invalid_argument) {
      return answer.error();
    }
    said = answer ? words_of(*answer) : answer.error().message;
    const Status alive = wait.alive ? wait.alive() : Status();
    if (!alive || waited >= wait.patience) {
      const std::string logged = last_line_of(wait.log_path);
      const bool own = !answer && !logged.empty(); // its answer says more than its log
      std::string message =
          alive ? "kubectl proxy: does not answer: " : alive.error().message + ": ";
      return Error{ErrorCode::unavailable, message + (own ? logged : said), {}};
    }
    waiter.wait(k_interval, wait.stop);
  }
}

Result<std::unique_ptr<ApiPort>>
start_proxy(const ProxyOrder& order, Waiter& waiter, std::chrono::seconds patience) {
  ::unlink(order.socket_path.c_str()); // of one that was killed
  ProxyWait wait;
  wait.patience = patience;
  wait.log_path = order.socket_path + ".log";
  RB_TRY_ASSIGN(const pid_t pid, start(proxy_spec(order), wait.log_path));
  auto proxy = std::make_unique<KubectlProxy>(pid, order.socket_path, waiter);
  wait.alive = [&]() -> Status {
    return proxy->ended()
               ? Status(Error{ErrorCode::unavailable, "kubectl proxy: ended at once", {}})
               : Status();
  };
  if (const Status open = await_proxy(*proxy, waiter, wait); !open) {
    Error error = open.error();
    return error.code == ErrorCode::unavailable ? std::move(error).within(order.program) : error;
  }
  return std::unique_ptr<ApiPort>(std::move(proxy));
}

} // namespace rb::objects
