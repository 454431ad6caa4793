// What a failed call to the API server means, whether it may be made again, and how long to wait
// before that. Pure.
#pragma once

#include "base/error.hpp"
#include "kube/transport.hpp"

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <string_view>

namespace rb::kube {

/// The error of a response with a status of 300 or more. The message is "WHAT: REASON", where the
/// reason is the message of the body's metav1.Status (printable, at most 512 bytes), or only its
/// reason when `confidential`, or "HTTP nnn" when the body is no Status.
[[nodiscard]] Error error_from_response(std::string_view what,
                                        int http_status,
                                        std::chrono::seconds retry_after,
                                        std::string_view body,
                                        bool confidential);

/// The same for a Status that came as JSON (an ERROR event of a watch). Its `code` field is the
/// HTTP status.
[[nodiscard]] Error
error_from_status(std::string_view what, const nlohmann::json& status, bool confidential);

/// The server's datastore, or the KMS plugin that has its keys, could not answer for a moment.
/// Such an answer is a 500, as is that of an object that the server cannot decode.
[[nodiscard]] bool is_of_datastore(const Error& error);

/// The object has no room for what was to be written: 413, or 500 with the words of etcd or of its
/// client (kubernetes/kubernetes issue 74600). Never of a confidential kind, whose words are not
/// kept.
[[nodiscard]] bool is_too_large(const Error& error);

/// It is away, overloaded, or does not know us for now (a restart, a new certificate, a token that
/// is renewed late). Anything else is its answer, and stays.
[[nodiscard]] constexpr bool is_passing(ErrorCode code) {
  return code == ErrorCode::unavailable || code == ErrorCode::timeout ||
         code == ErrorCode::throttled || code == ErrorCode::unauthenticated;
}

/// So it is with a 403 for a moment: a server that has just started knows no RBAC rules yet, and
/// forbids everything (kubernetes/kubernetes issue 121635). Who can wait some seconds, asks again.
[[nodiscard]] constexpr bool may_pass(ErrorCode code) {
  return is_passing(code) || code == ErrorCode::permission_denied;
}

/// How the hint of a 403 begins where our rights are the reason; a policy, a quota or a namespace
/// that is going refuse by the same code.
inline constexpr std::string_view k_rbac_hint = "check the RBAC rules for: ";

/// May a call of that method be sent again after this failure? True when the failure says that the
/// server did nothing (429, never reached), or when doing it twice is the same as once
/// (GET, PUT, DELETE) and the failure is a passing one. A 401 is not: the transport did that.
[[nodiscard]] bool may_resend(Method method, const Error& error);

/// How many objects the next page of a list has: fewer where an answer was larger than is taken, or
/// did not come in time; as many as fill half of what is taken where pages come. Used by one
/// thread.
class PageSize {
public:
  /// `most` 0: one page, whatever its size.
  PageSize(unsigned first, unsigned most, std::size_t limit_bytes)
      : m_now(first), m_most(most), m_usual(most), m_limit_bytes(limit_bytes) {}

  [[nodiscard]] unsigned now() const { return m_now; }
  /// The page failed. True: fewer objects may come where so many did not, and `now` says how many.
  [[nodiscard]] bool shrink(const Error& error);
  void came(std::size_t items, std::size_t bytes);
  /// The list is whole. What was late once may be in time again.
  void ended();

private:
  unsigned m_now;
  unsigned m_most;
  unsigned m_usual;
  std::size_t m_limit_bytes;
};

struct BackoffPolicy {
  std::chrono::milliseconds first{800};
  std::chrono::milliseconds most{std::chrono::seconds(30)};
  std::chrono::milliseconds quiet{std::chrono::seconds(120)}; ///< Starts over after such a pause.
};

/// Doubles from `first` to `most`; the wait is drawn from [delay/2, delay]. Used by one thread.
class Backoff {
public:
  using TimePoint = std::chrono::steady_clock::time_point;

  explicit Backoff(BackoffPolicy policy = {}) : m_policy(policy), m_next(policy.first) {}

  /// The wait before the next attempt; never shorter than `at_least` (Retry-After; taken up to
  /// five minutes). `fraction` in [0, 1) is the jitter.
  [[nodiscard]] std::chrono::milliseconds
  next(TimePoint now, double fraction, std::chrono::seconds at_least = {});

  void reset() { m_next = m_policy.first; }

private:
  BackoffPolicy m_policy;
  std::chrono::milliseconds m_next;
  TimePoint m_last{};
  bool m_used = false;
};

struct PaceLimit {
  std::chrono::milliseconds period{100}; ///< Between two calls, once `burst` came in a row.
  int burst = 100;
};

/// A floor under the period of a loop that may be without a pause. Used by one thread.
class Pace {
public:
  using TimePoint = std::chrono::steady_clock::time_point;

  explicit Pace(PaceLimit limit = {}) : m_limit(limit) {}

  /// How long to wait before what is due at `now`; it counts as done after that.
  [[nodiscard]] std::chrono::milliseconds wait_before_next(TimePoint now);

private:
  PaceLimit m_limit;
  TimePoint m_all_paid{}; ///< When nothing of what was done counts any more.
};

} // namespace rb::kube
