// The clock and waiting as ports, and the two written forms of time that we use (always UTC).
#pragma once

#include "base/port.hpp"
#include "base/result.hpp"

#include <chrono>
#include <stop_token>
#include <string>
#include <string_view>

namespace rb {

using SystemTime = std::chrono::sys_seconds;

/// Where the time comes from; tests replace it. Implementations are safe to share.
class Clock : public Port {
public:
  /// Wall clock, whole seconds. It may jump.
  [[nodiscard]] virtual SystemTime now() const = 0;
  /// Never goes backwards; for waits and durations.
  [[nodiscard]] virtual std::chrono::steady_clock::time_point steady_now() const = 0;
};

class RealClock final : public Clock {
public:
  [[nodiscard]] SystemTime now() const override;
  [[nodiscard]] std::chrono::steady_clock::time_point steady_now() const override;
};

/// Where a program waits; tests replace it, so that they do not. Implementations are safe to share.
class Waiter : public Port {
public:
  /// True when `duration` has passed, false when `stop` came first.
  virtual bool wait(std::chrono::milliseconds duration, const std::stop_token& stop) = 0;
};

class RealWaiter final : public Waiter {
public:
  bool wait(std::chrono::milliseconds duration, const std::stop_token& stop) override;
};

/// "2026-11-22T11:52:16Z" (RFC 3339, as Kubernetes writes metav1.Time).
[[nodiscard]] std::string format_rfc3339(SystemTime time);

/// Takes "Z" or a numeric offset and an optional fraction, which is dropped. Errors: corrupt.
[[nodiscard]] Result<SystemTime> parse_rfc3339(std::string_view text);

/// "20261122T115216Z": the run id and the <ts> of artifact names.
[[nodiscard]] std::string format_run_id(SystemTime time);

/// Strict: exactly YYYYMMDDTHHMMSSZ and a real date. Errors: corrupt.
[[nodiscard]] Result<SystemTime> parse_run_id(std::string_view text);

} // namespace rb
