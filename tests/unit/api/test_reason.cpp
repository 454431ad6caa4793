#include "api/reason.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::api;

TEST_CASE("every reason has a word of its own that is read back as the same reason") {
  for (int i = 0; i <= static_cast<int>(Reason::internal_error); ++i) {
    const auto reason = static_cast<Reason>(i);
    CAPTURE(to_string(reason));
    CHECK(parse_reason(to_string(reason)).value() == reason);
  }
}

TEST_CASE("reasons lead to the documented exit codes") {
  CHECK(exit_code_for(Reason::completed) == ExitCode::done);
  CHECK(exit_code_for(Reason::incomplete) == ExitCode::incomplete);
  CHECK(exit_code_for(Reason::agent_unavailable) == ExitCode::unreachable);
  CHECK(exit_code_for(Reason::deadline_exceeded) == ExitCode::deadline_passed);
  CHECK(exit_code_for(Reason::host_busy) == ExitCode::busy);
  CHECK(exit_code_for(Reason::snapshot_invalid) == ExitCode::damaged);
  CHECK(exit_code_for(Reason::proof_failed) == ExitCode::damaged);
  CHECK(exit_code_for(Reason::proof_unavailable) == ExitCode::incomplete);
}
