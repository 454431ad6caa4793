#include "fault/process/memory_group.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace rb::test {

namespace {

bool write_to(const std::string& path, const std::string& text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  const bool done =
      fd >= 0 && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(fd);
  return done;
}

/// An empty group below `root` with the limit in its file `limit`, or nothing.
std::string make_group(const std::string& root, const char* limit, std::size_t bytes) {
  std::string path = root + "/railiance-test-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) {
    return {};
  }
  if (!write_to(path + "/" + limit, std::to_string(bytes))) {
    ::rmdir(path.c_str());
    return {};
  }
  static_cast<void>(write_to(path + "/memory.swap.max", "0"));
  return path;
}

} // namespace

MemoryGroup::MemoryGroup(std::size_t limit_bytes) {
  const std::string unified = "/sys/fs/cgroup";
  const std::string separate = unified + "/memory";
  if (std::filesystem::exists(unified + "/cgroup.controllers")) {
    static_cast<void>(write_to(unified + "/cgroup.subtree_control", "+memory"));
    m_path = make_group(unified, "memory.max", limit_bytes);
  } else if (std::filesystem::exists(separate + "/memory.limit_in_bytes")) {
    m_path = make_group(separate, "memory.limit_in_bytes", limit_bytes);
  }
}

MemoryGroup::~MemoryGroup() {
  // What was killed in it is gone a moment later.
  for (int i = 0; made() && i < 100 && ::rmdir(m_path.c_str()) != 0; ++i) {
    ::usleep(20'000);
  }
}

void MemoryGroup::join() const {
  if (!write_to(m_path + "/cgroup.procs", "0")) {
    ::_exit(77);
  }
}

} // namespace rb::test
