// Runs a program and stands between it and the kernel: at every system call of every thread a test
// decides what becomes of it. ptrace(2), x86-64. Programs that it starts are not traced.
#pragma once

#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace rb::test {

/// A system call that is about to be made.
struct Call {
  std::size_t index = 0; ///< From 0, in the order of all threads.
  long number = 0;
  std::array<std::uint64_t, 6> arguments{};
  pid_t thread = 0;

  /// "openat"; "call 123" for what no test asks about.
  [[nodiscard]] std::string name() const;
  /// The file that it is about, as far as it names one (by descriptor or path), else empty.
  [[nodiscard]] std::string path() const;
  /// It changes names, contents or durability of files.
  [[nodiscard]] bool writes() const;
  [[nodiscard]] bool syncs() const;
  /// It moves bytes of a file: reads, writes.
  [[nodiscard]] bool moves_bytes() const;
  /// A program or a thread is about to begin.
  [[nodiscard]] bool begins() const;
};

struct Action {
  enum class Kind {
    go,
    kill,    ///< SIGKILL to the whole process; the call is not made.
    fail,    ///< The call is not made and fails with `error`.
    shorten, ///< It moves half as many bytes as it asked for.
  };
  Kind kind = Kind::go;
  int error = 0;
};

using OnCall = std::function<Action(const Call&)>;

struct Traced {
  int exit_code = -1; ///< -1: ended by `signal`.
  int signal = 0;
  std::size_t calls = 0;
  std::string err; ///< Its standard error.
};

struct TraceOptions {
  /// Calls count from the one after the first getppid(2): the loader is left out.
  bool from_marker = true;
  std::chrono::seconds limit{60}; ///< Then it is killed, with signal SIGKILL.
  std::string output_directory;   ///< Where its output is kept meanwhile.
  bool with_output = false;       ///< Its standard output is kept, too, in Traced::err.
  /// Called in the child before exec: limits, for example.
  std::function<void()> prepare{};
};

/// `arguments[0]` is the program. Afterwards everything that it started has ended, too.
[[nodiscard]] Traced trace(const std::vector<std::string>& arguments,
                           const TraceOptions& options,
                           const OnCall& on_call);

} // namespace rb::test
