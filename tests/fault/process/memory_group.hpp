// A control group with a limit of memory: what a program in it takes beyond that costs it its life.
#pragma once

#include <cstddef>
#include <string>

namespace rb::test {

/// cgroup v2 (memory.max) where it has the memory controller, else v1 (memory.limit_in_bytes).
/// Needs root. Removed when it goes; nothing may be left in it then.
class MemoryGroup {
public:
  explicit MemoryGroup(std::size_t limit_bytes);
  ~MemoryGroup();
  MemoryGroup(const MemoryGroup&) = delete;
  MemoryGroup& operator=(const MemoryGroup&) = delete;
  MemoryGroup(MemoryGroup&&) = delete;
  MemoryGroup& operator=(MemoryGroup&&) = delete;

  [[nodiscard]] bool made() const { return !m_path.empty(); }
  /// Puts the calling process into it; its children are in it, too. Ends the process where that
  /// cannot be done: nothing is tried without the limit.
  void join() const;

private:
  std::string m_path;
};

} // namespace rb::test
