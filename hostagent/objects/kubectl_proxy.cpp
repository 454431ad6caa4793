#include "objects/kubectl_proxy.hpp"

#include "objects/socket_api.hpp"

#include "base/argument_vector.hpp"
#include "base/fd.hpp"

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
become(const char* program, char* const* argv, char* const* envp, int null, pid_t parent) {
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
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    ::dup2(null, stream);
  }
  ::execve(program, argv, envp);
  ::_exit(127);
}

Result<pid_t> start(const ProcessSpec& spec) {
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
  const pid_t parent = ::getpid();
  const SignalsBlocked blocked;
  const pid_t pid = ::fork();
  if (pid < 0) {
    return system_error(errno, spec.program + ": cannot be started");
  }
  if (pid == 0) {
    become(spec.program.c_str(), argv.data(), envp.data(), null.get(), parent);
  }
  return pid;
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

Result<std::unique_ptr<ApiPort>>
start_proxy(const ProxyOrder& order, Sleeper& sleeper, std::chrono::seconds patience) {
  ::unlink(order.socket_path.c_str()); // of one that was killed
  RB_TRY_ASSIGN(const pid_t pid, start(proxy_spec(order)));
  auto proxy = std::make_unique<KubectlProxy>(pid, order.socket_path, sleeper);
  for (auto waited = 0ms;; waited += k_interval) {
    const auto answer = proxy->get("/readyz", "*/*");
    if (answer) { // whatever it says: it is there
      return std::unique_ptr<ApiPort>(std::move(proxy));
    }
    if (answer.error().code == ErrorCode::invalid_argument) {
      return answer.error();
    }
    const bool ended = proxy->ended();
    if (ended || waited >= patience) {
      return Error{ErrorCode::unavailable,
                   order.program + " kubectl proxy: " +
                       (ended ? "ended at once" : "does not answer: " + answer.error().message),
                   {}};
    }
    sleeper.sleep(k_interval);
  }
}

} // namespace rb::objects
