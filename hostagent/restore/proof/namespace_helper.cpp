#include "restore/proof/namespace_helper.hpp"

#include "restore/proof/messages.hpp"
#include "restore/proof/server_args.hpp"

#include "base/fd.hpp"
#include "base/process.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/route.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

// Not <linux/sockios.h> and <linux/if_bridge.h>: they clash with <net/if.h> in old releases.
#ifndef SIOCBRADDBR
#define SIOCBRADDBR 0x89a0
#endif

namespace rb::proof {

namespace {

constexpr int k_nice = 10;

std::string ending(int status) {
  return WIFSIGNALED(status) ? "ended by signal " + std::to_string(WTERMSIG(status))
                             : "ended with exit status " + std::to_string(WEXITSTATUS(status));
}

/// What k3s would read of this host or write to it, although it is given other places.
constexpr std::array<const char*, 2> k_hidden{"/etc/rancher", "/run/k3s"};

// The end of the helper is asked for by SIGTERM: its child goes at once, whatever it waits for.
// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): a handler sees nothing else
volatile sig_atomic_t g_child = 0;

extern "C" void end_child(int /*signal*/) {
  if (g_child > 0) {
    ::kill(g_child, SIGKILL);
  } else {
    ::_exit(1);
  }
}

/// The running cluster comes first, for the processor and when memory runs out.
void stand_back() {
  (void)::setpriority(PRIO_PROCESS, 0, k_nice);
  const auto score = open_file("/proc/self/oom_score_adj", O_WRONLY);
  if (score) {
    (void)write_all(*score, as_bytes("1000"), "oom_score_adj");
  }
}

Status make_namespaces() {
  if (::unshare(CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID) != 0) {
    Error error = system_error(errno, "namespaces for the scratch server cannot be made");
    error.hint = "run it as root; in a container it must be privileged";
    return error;
  }
  return {};
}

Status make_mounts() {
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0) {
    return system_error(errno, "mounts of the scratch server's namespaces");
  }
  for (const char* const path : k_hidden) {
    const int mounted = ::mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, "size=1m,mode=700");
    if (mounted != 0 && errno != ENOENT) {
      return system_error(errno, std::string(path) + ": cannot be hidden from the scratch server");
    }
  }
  return {};
}

// The network of a scratch server: an address that is not a loopback's and a default route, as k3s
// wants them, and nothing that leads anywhere.
constexpr const char* k_loopback = "lo";
constexpr const char* k_loopback_alias = "lo:0";
constexpr const char* k_bridge = "scratch0";
constexpr const char* k_mask = "255.255.255.0";

ifreq request_for(const char* device) {
  ifreq request{};
  std::strncpy(request.ifr_name, device, IFNAMSIZ - 1);
  return request;
}

sockaddr address_of(const char* text) {
  sockaddr_in internet{};
  internet.sin_family = AF_INET;
  ::inet_pton(AF_INET, text, &internet.sin_addr);
  sockaddr general{};
  std::memcpy(&general, &internet, sizeof(internet));
  return general;
}

Error network_error(const char* device, const char* what) {
  return system_error(errno, std::string("network of the scratch server: ") + device + ": " + what);
}

Status bring_up(const Fd& socket, const char* device) {
  ifreq request = request_for(device);
  if (::ioctl(socket.get(), SIOCGIFFLAGS, &request) != 0) {
    return network_error(device, "flags");
  }
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP | IFF_RUNNING);
  if (::ioctl(socket.get(), SIOCSIFFLAGS, &request) != 0) {
    return network_error(device, "cannot be brought up");
  }
  return {};
}

Status give_address(const Fd& socket, const char* device) {
  ifreq request = request_for(device);
  request.ifr_addr = address_of(k_scratch_address);
  if (::ioctl(socket.get(), SIOCSIFADDR, &request) != 0) {
    return network_error(device, "takes no address");
  }
  request.ifr_netmask = address_of(k_mask);
  if (::ioctl(socket.get(), SIOCSIFNETMASK, &request) != 0) {
    return network_error(device, "takes no mask");
  }
  return {};
}

Status route_by_default(const Fd& socket, const char* device) {
  std::string name = device;
  rtentry route{};
  route.rt_dst = address_of("0.0.0.0");
  route.rt_genmask = address_of("0.0.0.0");
  route.rt_flags = RTF_UP;
  route.rt_dev = name.data();
  if (::ioctl(socket.get(), SIOCADDRT, &route) != 0) {
    return network_error(device, "takes no default route");
  }
  return {};
}

/// No program (`ip`) is needed: ioctl(2). Where the kernel has no bridge, the address goes onto the
/// loopback device.
Status set_up_network() {
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) {
    return network_error("socket", "cannot be made");
  }
  RB_TRY(bring_up(socket, k_loopback));
  const bool bridged = ::ioctl(socket.get(), SIOCBRADDBR, k_bridge) == 0;
  const char* const device = bridged ? k_bridge : k_loopback_alias;
  RB_TRY(give_address(socket, device));
  RB_TRY(bring_up(socket, device));
  return route_by_default(socket, bridged ? k_bridge : k_loopback);
}

Status prepare() {
  RB_TRY(make_mounts());
  return set_up_network();
}

Reply reply_of(const Status& status) {
  return status ? Reply() : Reply{false, status.error(), {}};
}

/// Serves requests until the other side is gone. This is process 1 of its namespace: when it
/// returns, the kernel ends everything in it.
void serve(const Fd& socket) {
  RealProcessRunner runner;
  Spawned started;
  while (true) {
    const auto request = receive_request(socket);
    if (!request) {
      return;
    }
    Reply reply;
    switch (request->op) {
    case Op::run: {
      auto result = runner.run(request->spec, {});
      reply = result ? Reply{true, {}, std::move(*result)} : Reply{false, result.error(), {}};
      break;
    }
    case Op::start:
      reply = reply_of(started.start(request->spec, request->log_path));
      break;
    case Op::alive:
      reply = reply_of(started.alive());
      break;
    }
    if (!send_reply(socket, reply)) {
      return;
    }
  }
}

} // namespace

Status Spawned::start(const ProcessSpec& spec, const std::string& log_path) {
  RB_TRY_ASSIGN(const Fd log,
                open_file(log_path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600));
  SpawnOrder order = spawn_order(spec);
  order.files = {{log.get(), STDOUT_FILENO}, {log.get(), STDERR_FILENO}};
  order.own_group = false;
  const std::string name =
      spec.program + (spec.arguments.empty() ? "" : " " + spec.arguments.front());
  RB_TRY_ASSIGN(const pid_t pid, spawn(std::move(order)));
  m_names.emplace(pid, name);
  return {};
}

Status Spawned::alive() {
  int status = 0;
  for (pid_t pid = ::waitpid(-1, &status, WNOHANG); pid > 0;
       pid = ::waitpid(-1, &status, WNOHANG)) {
    const auto named = m_names.find(pid);
    if (named != m_names.end() && m_ended.empty()) {
      m_ended = named->second + ": " + ending(status);
    }
  }
  return m_ended.empty() ? Status() : Status(Error{ErrorCode::unavailable, m_ended, {}});
}

int helper_main() {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  Fd socket(k_helper_socket);
  ::fcntl(socket.get(), F_SETFD, FD_CLOEXEC);
  // An agent has connections and ports that its libraries would hand on to the scratch server.
  ::closefrom(k_helper_socket + 1); // close_range(2), or without it (before Linux 5.9) one by one
  stand_back();
  if (const Status made = make_namespaces(); !made) {
    (void)send_reply(socket, reply_of(made));
    return 1;
  }
  struct sigaction on_end {};
  on_end.sa_handler = end_child;
  ::sigaction(SIGTERM, &on_end, nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    static_cast<void>(std::signal(SIGTERM, SIG_DFL));
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const Status prepared = prepare();
    if (send_reply(socket, reply_of(prepared)) && prepared) {
      serve(socket);
    }
    ::_exit(0);
  }
  if (child < 0) {
    (void)send_reply(socket, reply_of(system_error(errno, "fork")));
    return 1;
  }
  g_child = child;
  socket = Fd(); // the end of it must be seen when the child ends
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return 0;
}

} // namespace rb::proof
