// Runs only programs that nobody but root can have put there.
#pragma once

#include "base/process.hpp"

namespace rb {

/// check_root_owned before each start; a program that is not there is `runner`'s to report.
/// Thread-safe as `runner` is, which outlives it. Errors besides: permission_denied, unsupported.
class TrustedRunner final : public ProcessRunner {
public:
  explicit TrustedRunner(ProcessRunner& runner) : m_runner(runner) {}

  [[nodiscard]] Result<ProcessResult> run(const ProcessSpec& spec, std::stop_token stop) override;

private:
  ProcessRunner& m_runner;
};

} // namespace rb
