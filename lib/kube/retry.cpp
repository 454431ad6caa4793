#include "kube/retry.hpp"

#include <algorithm>
#include <cerrno>

namespace rb::kube {

namespace {

constexpr std::chrono::seconds k_longest_retry_after{300};

bool never_reached(const Error& error) {
  return error.http_status == 0 && error.system_errno == ECONNREFUSED;
}

} // namespace

bool may_resend(Method method, const Error& error) {
  if (error.code == ErrorCode::throttled || never_reached(error)) {
    return true;
  }
  if (error.system_errno == EPROTO) {
    return false; // TLS: the next try fails for the same reason
  }
  // A timeout has used up the caller's patience already; the caller decides.
  if (error.code != ErrorCode::unavailable) {
    return false;
  }
  switch (method) {
  case Method::get:
  case Method::put:
  case Method::remove:
    return true;
  case Method::post:
  case Method::patch:
    return false;
  }
  return false;
}

std::chrono::milliseconds
Backoff::next(TimePoint now, double fraction, std::chrono::seconds at_least) {
  if (m_used && m_policy.quiet.count() > 0 && now - m_last >= m_policy.quiet) {
    reset();
  }
  m_used = true;
  const std::chrono::milliseconds full = m_next;
  m_next = std::min(m_next * 2, m_policy.most);
  const auto half = full / 2;
  const auto extra = std::chrono::milliseconds(
      static_cast<std::int64_t>(static_cast<double>((full - half).count()) * fraction));
  const std::chrono::milliseconds asked = std::min(at_least, k_longest_retry_after);
  const std::chrono::milliseconds wait = std::max(half + extra, asked);
  m_last = now + wait;
  return wait;
}

std::chrono::milliseconds Pace::wait_before_next(TimePoint now) {
  const auto ahead = std::max(m_all_paid - now, TimePoint::duration::zero());
  const auto allowed = m_limit.period * (m_limit.burst - 1);
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(
      std::max(ahead - allowed, TimePoint::duration::zero()));
  m_all_paid = now + ahead + m_limit.period;
  return wait;
}

} // namespace rb::kube
