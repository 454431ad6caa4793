// A prover that answers what a test says, and notes what it is asked.
#pragma once

#include "agent/run/prover.hpp"

#include "base/fd.hpp"

#include <functional>

namespace rb::test {

class FakeProver final : public agent::Prover {
public:
  set::ProofRecord prove(const agent::ProofRequest& request, const std::stop_token& stop) override {
    ++asked;
    snapshot = read_text_file(request.snapshot_path, std::size_t{64} << 20U).value_or("");
    revision = request.record.revision;
    host_state_bytes = request.host_state.size();
    if (on_prove) {
      on_prove(stop);
    }
    return answer;
  }
  void sweep() override { ++swept; }

  static set::ProofRecord proven() {
    return {api::Reason::completed, "", 4211, 63, 11'500, 451'000'000};
  }

  set::ProofRecord answer = proven();
  std::function<void(const std::stop_token&)> on_prove;
  int asked = 0;
  int swept = 0;
  std::string snapshot;
  std::int64_t revision = 0;
  std::size_t host_state_bytes = 0;
};

} // namespace rb::test
