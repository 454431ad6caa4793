// The cage in earnest: this program again, as a helper in namespaces of its own.
#pragma once

#include "restore/proof/cage.hpp"

#include "base/fd.hpp"

#include <sys/types.h>

#include <atomic>

namespace rb::proof {

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
