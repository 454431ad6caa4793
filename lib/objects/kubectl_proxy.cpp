#include "objects/kubectl_proxy.hpp"

#include "objects/socket_api.hpp"

#include "archive/entry_path.hpp"
#include "base/argument_vector.hpp"
#include "base/fd.hpp"
#include "base/last_line.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace rb::objects {

namespace {

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
  KubectlProxy(pid_t pid, const std::string& socket_path, Sleeper& sleeper)
      : m_api(socket_path, k_answer_timeout), m_socket_path(socket_path), m_sleeper(sleeper),
        m_pid(pid) {}
  ~KubectlProxy() override {
    if (!ended()) {
      ::kill(m_pid, SIGTERM);
    }
    for (int tries = 0; !ended() && tries < k_end_tries; ++tries) {
      m_sleeper.sleep(k_interval);
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
  Sleeper& m_sleeper;
  pid_t m_pid;
  bool m_ended = false;
};

} // namespace

ProcessSpec proxy_spec(const ProxyOrder& order) {
  ProcessSpec spec;
  spec.program = order.program;
  spec.environment = order.environment;
  spec.arguments = {
      "kubectl", "proxy", "--kubeconfig=" + order.kubeconfig, "--unix-socket=" + order.socket_path};
  return spec;
}

Status await_proxy(ApiPort& api, Sleeper& sleeper, const ProxyWait& wait) {
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
    sleeper.sleep(k_interval);
  }
}

Result<std::unique_ptr<ApiPort>>
start_proxy(const ProxyOrder& order, Sleeper& sleeper, std::chrono::seconds patience) {
  ::unlink(order.socket_path.c_str()); // of one that was killed
  ProxyWait wait;
  wait.patience = patience;
  wait.log_path = order.socket_path + ".log";
  RB_TRY_ASSIGN(const pid_t pid, start(proxy_spec(order), wait.log_path));
  auto proxy = std::make_unique<KubectlProxy>(pid, order.socket_path, sleeper);
  wait.alive = [&]() -> Status {
    return proxy->ended()
               ? Status(Error{ErrorCode::unavailable, "kubectl proxy: ended at once", {}})
               : Status();
  };
  if (const Status open = await_proxy(*proxy, sleeper, wait); !open) {
    Error error = open.error();
    return error.code == ErrorCode::unavailable ? std::move(error).within(order.program) : error;
  }
  return std::unique_ptr<ApiPort>(std::move(proxy));
}

} // namespace rb::objects
