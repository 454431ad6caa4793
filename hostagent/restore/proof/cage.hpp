// Where a scratch server runs: network, mount and process namespaces of its own. All that was
// started in them ends with them.
#pragma once

#include "base/fd.hpp"
#include "base/port.hpp"
#include "base/process.hpp"

#include <sys/types.h>

#include <atomic>
#include <cstdint>

namespace rb::proof {

class Cage : public Port {
public:
  /// Makes the namespaces and their network. Errors: permission_denied, unavailable, io.
  [[nodiscard]] virtual Status open() = 0;

  /// Runs a program to its end. Errors: those of ProcessRunner::run; unavailable (the cage died).
  [[nodiscard]] virtual Result<ProcessResult> run(const ProcessSpec& spec,
                                                  const std::stop_token& stop) = 0;

  /// Starts a program that goes on; its output is appended to `log_path` (0600).
  /// Errors: not_found, permission_denied, unavailable, io.
  [[nodiscard]] virtual Status start(const ProcessSpec& spec, const std::string& log_path) = 0;

  /// Errors: unavailable, when a program that was started has ended or the cage died.
  [[nodiscard]] virtual Status alive() = 0;

  /// Of all processes in it, shared pages shared out (PSS). Callable from another thread.
  [[nodiscard]] virtual std::uint64_t memory_bytes() const = 0;

  /// Ends everything in it, and returns when it is gone. Idempotent.
  virtual void close() = 0;
};

/// In earnest: this program again, as a helper in namespaces of its own.
class NamespaceCage final : public Cage {
public:
  /// `program` answers to the hidden command (namespace_helper.hpp): /proc/self/exe.
  explicit NamespaceCage(std::string program = "/proc/self/exe") : m_program(std::move(program)) {}
  ~NamespaceCage() override;
  NamespaceCage(const NamespaceCage&) = delete;
  NamespaceCage& operator=(const NamespaceCage&) = delete;
  NamespaceCage(NamespaceCage&&) = delete;
  NamespaceCage& operator=(NamespaceCage&&) = delete;

  [[nodiscard]] Status open() override;
  [[nodiscard]] Result<ProcessResult> run(const ProcessSpec& spec,
                                          const std::stop_token& stop) override;
  [[nodiscard]] Status start(const ProcessSpec& spec, const std::string& log_path) override;
  [[nodiscard]] Status alive() override;
  [[nodiscard]] std::uint64_t memory_bytes() const override;
  void close() override;

private:
  std::string m_program;
  Fd m_socket;
  std::atomic<pid_t> m_helper = -1;
};

} // namespace rb::proof
