#include "kube/retry.hpp"

#include <doctest/doctest.h>

#include <cerrno>

using namespace rb;
using namespace rb::kube;
using namespace std::chrono_literals;

namespace {

Error error(ErrorCode code, int http_status = 0, int system_errno = 0) {
  Error made{code, "x", {}};
  made.http_status = http_status;
  made.system_errno = system_errno;
  return made;
}

const Backoff::TimePoint k_start{std::chrono::hours(1)};

} // namespace

TEST_CASE("what may have been done already is not sent again unless that changes nothing") {
  const Error lost = error(ErrorCode::unavailable);
  const Error server_error = error(ErrorCode::unavailable, 503);
  for (const Method method : {Method::get, Method::put, Method::remove}) {
    CHECK(may_resend(method, lost));
    CHECK(may_resend(method, server_error));
  }
  for (const Method method : {Method::post, Method::patch}) {
    CHECK_FALSE(may_resend(method, lost));
    CHECK_FALSE(may_resend(method, server_error));
  }
  const Error refused = error(ErrorCode::unavailable, 0, ECONNREFUSED);
  CHECK(may_resend(Method::post, refused));
  CHECK(may_resend(Method::post, error(ErrorCode::throttled, 429)));
}

TEST_CASE("a TLS failure, a timeout and a refusal are not sent again") {
  CHECK_FALSE(may_resend(Method::get, error(ErrorCode::unavailable, 0, EPROTO)));
  CHECK_FALSE(may_resend(Method::get, error(ErrorCode::timeout)));
  CHECK_FALSE(may_resend(Method::get, error(ErrorCode::permission_denied, 403)));
  CHECK_FALSE(may_resend(Method::get, error(ErrorCode::unauthenticated, 401)));
  CHECK_FALSE(may_resend(Method::get, error(ErrorCode::cancelled)));
}

TEST_CASE("the back-off doubles from 800 ms to 30 s") {
  Backoff backoff;
  Backoff::TimePoint now = k_start;
  for (const auto expected : {800ms, 1600ms, 3200ms, 6400ms, 12800ms, 25600ms, 30000ms, 30000ms}) {
    const auto least = backoff.next(now, 0.0);
    CHECK(least == expected / 2);
    now += least;
  }
}

TEST_CASE("the jitter stays between half the delay and the whole") {
  for (const double fraction : {0.0, 0.25, 0.5, 0.999}) {
    Backoff backoff;
    const auto wait = backoff.next(k_start, fraction);
    CHECK(wait >= 400ms);
    CHECK(wait <= 800ms);
  }
}

TEST_CASE("after 120 s of quiet the back-off starts over, and not before") {
  Backoff backoff;
  (void)backoff.next(k_start, 0.0);      // ends at +0.4 s
  (void)backoff.next(k_start + 1s, 0.0); // ends at +1.8 s
  CHECK(backoff.next(k_start + 100s, 0.0) == 1600ms);
  CHECK(backoff.next(k_start + 300s, 0.0) == 400ms);
}

TEST_CASE("Retry-After is waited for, up to five minutes") {
  Backoff backoff;
  CHECK(backoff.next(k_start, 0.0, 7s) == 7s);
  CHECK(backoff.next(k_start, 0.0, 86400s) == 300s);
}

TEST_CASE("a loop without a pause has its burst and then one round a period") {
  Pace pace({100ms, 5});
  Pace::TimePoint now = k_start;
  for (int round = 0; round < 5; ++round) {
    CHECK(pace.wait_before_next(now) == 0ms);
  }
  for (int round = 0; round < 20; ++round) {
    const auto wait = pace.wait_before_next(now);
    CHECK(wait == 100ms);
    now += wait;
  }
  now += 1h;
  for (int round = 0; round < 5; ++round) {
    CHECK(pace.wait_before_next(now) == 0ms);
  }
  CHECK(pace.wait_before_next(now) == 100ms);
}
