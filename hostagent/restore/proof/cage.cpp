#include "restore/proof/cage.hpp"

#include "restore/proof/memory.hpp"
#include "restore/proof/messages.hpp"
#include "restore/proof/namespace_helper.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>

namespace rb::proof {

namespace {

constexpr int k_close_tries = 100; // 100 ms each

Result<ProcessResult> result_of(Result<Reply> reply) {
  if (!reply) {
    return std::move(reply).error();
  }
  if (!reply->ok) {
    return std::move(reply->error);
  }
  return std::move(reply->result);
}

Status status_of(Result<Reply> reply) {
  auto result = result_of(std::move(reply));
  return result ? Status() : Status(std::move(result).error());
}

} // namespace

NamespaceCage::~NamespaceCage() {
  NamespaceCage::close();
}

Status NamespaceCage::open() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return system_error(errno, "socketpair");
  }
  m_socket = Fd(ends[0]);
  // dup2 onto itself would keep the close-on-exec flag.
  Fd theirs(ends[1]);
  if (theirs.get() == k_helper_socket) {
    const int moved = ::fcntl(theirs.get(), F_DUPFD_CLOEXEC, k_helper_socket + 1);
    theirs = Fd(moved);
  }
  SpawnOrder order; // in a group of its own: an interrupt of the terminal is for us, and we end it
  order.words = {m_program, std::string(k_helper_command)};
  order.files = {{theirs.get(), k_helper_socket}};
  RB_TRY_ASSIGN(m_helper, spawn(std::move(order)));
  theirs = Fd();
  return status_of(receive_reply(m_socket, {}));
}

Result<ProcessResult> NamespaceCage::run(const ProcessSpec& spec, const std::stop_token& stop) {
  RB_TRY(send_request(m_socket, {Op::run, spec, {}}));
  return result_of(receive_reply(m_socket, stop));
}

Status NamespaceCage::start(const ProcessSpec& spec, const std::string& log_path) {
  RB_TRY(send_request(m_socket, {Op::start, spec, log_path}));
  return status_of(receive_reply(m_socket, {}));
}

Status NamespaceCage::alive() {
  RB_TRY(send_request(m_socket, {}));
  return status_of(receive_reply(m_socket, {}));
}

std::uint64_t NamespaceCage::memory_bytes() const {
  const pid_t helper = m_helper;
  return helper > 0 ? tree_memory_bytes(helper) : 0;
}

void NamespaceCage::close() {
  const pid_t helper = m_helper.exchange(-1);
  m_socket = Fd();
  if (helper <= 0) {
    return;
  }
  // It kills process 1 of the namespace, and ends when the kernel has ended all others in it.
  ::kill(helper, SIGTERM);
  for (int tries = 0;; ++tries) {
    const pid_t waited = ::waitpid(helper, nullptr, WNOHANG);
    if (waited == helper || (waited < 0 && errno != EINTR)) {
      return;
    }
    if (tries == k_close_tries) {
      ::kill(helper, SIGKILL); // its child has asked the kernel to be killed with it
    }
    const timespec pause{0, tries < 10 ? 20'000'000 : 100'000'000};
    ::nanosleep(&pause, nullptr);
  }
}

} // namespace rb::proof
