#include "agent/polite.hpp"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <thread>

namespace rb::agent {

namespace {

constexpr int k_nice = 10;
// linux/ioprio.h: IOPRIO_WHO_PROCESS, and IOPRIO_CLASS_IDLE above IOPRIO_CLASS_SHIFT.
constexpr int k_this_thread = 1;
constexpr int k_idle_class = 3 << 13;

void become_polite() {
  const auto thread = static_cast<id_t>(::syscall(SYS_gettid));
  static_cast<void>(::setpriority(PRIO_PROCESS, thread, k_nice));
  static_cast<void>(::syscall(SYS_ioprio_set, k_this_thread, 0, k_idle_class));
}

} // namespace

void run_politely(const std::function<void()>& work) {
  std::thread thread([&work] {
    become_polite();
    work();
  });
  thread.join();
}

} // namespace rb::agent
