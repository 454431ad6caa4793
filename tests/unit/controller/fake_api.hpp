// An API server of a few lines: objects in a map, answers by method and path, failures on demand.
#pragma once

#include "kube/client.hpp"
#include "kube/transport.hpp"

#include <nlohmann/json.hpp>

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace rb::controller::test {

class FakeApi final : public kube::Transport {
public:
  [[nodiscard]] Result<kube::Response> send(const kube::Request& request,
                                            std::stop_token stop) override;
  [[nodiscard]] Result<kube::StreamEnd>
  stream(const kube::Request&, const kube::ByteSink&, std::stop_token) override {
    return Error{ErrorCode::unsupported, "the fake has no watch", {}};
  }

  /// By path, "/api/v1/namespaces/a/secrets/b".
  std::map<std::string, nlohmann::json> objects;
  /// Answers first where it is set and returns a status other than 0.
  std::function<int(const kube::Request&)> fail;
  std::string words = "refused by the fake"; ///< Of what fails.
  /// Called where it is set when the request is done and its answer is still on the way.
  std::function<void(const kube::Request&)> before_answer;
  /// "METHOD path", in order.
  std::vector<std::string> calls;

  [[nodiscard]] std::size_t count(const std::string& call_prefix) const;

private:
  kube::Response work(const kube::Request& request);
  kube::Response list(const kube::Request& request) const;
  kube::Response create(const kube::Request& request);

  std::mutex m_mutex;
};

/// Of a client that meets each failure at once: nothing is tried again.
[[nodiscard]] inline kube::ClientOptions one_attempt() {
  kube::ClientOptions options;
  options.attempts = 1;
  return options;
}

} // namespace rb::controller::test
