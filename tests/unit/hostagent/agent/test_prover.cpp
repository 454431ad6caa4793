// What an error of a boot says of a snapshot, and how long a proof may take.
#include "agent/run/prover.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::agent;
using std::chrono::seconds;

TEST_CASE("what this host cannot do is no word about the snapshot") {
  for (const ErrorCode code : {ErrorCode::permission_denied,
                               ErrorCode::no_space,
                               ErrorCode::not_found,
                               ErrorCode::unsupported}) {
    CHECK(not_proven({code, "why", {}}).reason == api::Reason::proof_unavailable);
  }
}

TEST_CASE("a server that was tried and did not serve the snapshot is a proof that failed") {
  for (const ErrorCode code : {ErrorCode::corrupt,
                               ErrorCode::timeout,
                               ErrorCode::unavailable,
                               ErrorCode::invalid_argument,
                               ErrorCode::io}) {
    const set::ProofRecord answer = not_proven({code, "why", "drill on another machine"});
    CHECK(answer.reason == api::Reason::proof_failed);
    CHECK(answer.message == "why"); // the hints are those of a command, not of a run
  }
}

TEST_CASE("a proof ends before the deadline of its run does") {
  const SystemTime now = parse_run_id("20261122T020000Z").value();
  const ProofTimes free = proof_times(seconds(300), now, {});
  CHECK(free.step == seconds(300));
  CHECK(free.whole == seconds(900));
  CHECK(proof_times(seconds(300), now, now + seconds(3600)).whole == seconds(900));
  const ProofTimes narrow = proof_times(seconds(300), now, now + seconds(130));
  CHECK(narrow.whole == seconds(100));
  CHECK(narrow.step == seconds(100));
  CHECK(proof_times(seconds(15), now, now + seconds(130)).step == seconds(15));
}

TEST_CASE("a proof that the deadline of the run cut short is no word about the snapshot") {
  const SystemTime now = parse_run_id("20261122T020000Z").value();
  const auto late = [&](seconds left) {
    return not_done_in_time(proof_times(seconds(300), now, now + left));
  };
  CHECK(late(seconds(930)).reason == api::Reason::proof_failed);
  const set::ProofRecord cut_short = late(seconds(55));
  CHECK(cut_short.reason == api::Reason::proof_unavailable);
  CHECK(cut_short.message.find("in the 25 s that were left before the deadline") !=
        std::string::npos);
  CHECK(not_done_in_time(proof_times(seconds(1), now, {})).reason == api::Reason::proof_failed);
}

TEST_CASE("where too little time is left, no proof is begun") {
  const SystemTime now = parse_run_id("20261122T020000Z").value();
  CHECK(proof_times(seconds(300), now, now + seconds(49)).whole == seconds(0));
  CHECK(proof_times(seconds(300), now, now - seconds(1)).whole == seconds(0));
  CHECK(proof_times(seconds(300), now, now + seconds(50)).whole == seconds(20));
}
