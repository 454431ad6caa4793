// An API server of a few lines that refuses, breaks off, and takes a write without answering.
#pragma once

#include "support/random.hpp"
#include "unit/controller/fake_api.hpp"

#include <map>

namespace rb::test {

class MisbehavingApi final : public kube::Transport {
public:
  explicit MisbehavingApi(Random& random) : m_random(random) {}

  [[nodiscard]] Result<kube::Response> send(const kube::Request& request,
                                            std::stop_token stop) override;
  [[nodiscard]] Result<kube::StreamEnd>
  stream(const kube::Request&, const kube::ByteSink&, std::stop_token) override {
    return Error{ErrorCode::unsupported, "there is no watch", {}};
  }

  /// What is true: it can be changed behind the API's back.
  controller::test::FakeApi truth;
  bool behaves = false;
  std::map<std::string, std::size_t> faults; ///< By what went wrong.

private:
  Random& m_random;
};

} // namespace rb::test
