#include "misbehaving_api.hpp"

#include <array>

namespace rb::test {

namespace {

constexpr std::array k_refusals{401, 403, 409, 429, 500, 503};
constexpr std::size_t k_per_cent = 100;

kube::Response refusal(int status) {
  const nlohmann::json body{{"kind", "Status"},
                            {"status", "Failure"},
                            {"reason", status == 409 ? "Conflict" : "Injected"},
                            {"message", "injected"},
                            {"code", status}};
  return {status, {}, body.dump()};
}

} // namespace

Result<kube::Response> MisbehavingApi::send(const kube::Request& request, std::stop_token stop) {
  const std::size_t luck = behaves ? k_per_cent : m_random.below(k_per_cent);
  if (luck < 10) {
    const int status = k_refusals.at(m_random.below(k_refusals.size()));
    ++faults["refused " + std::to_string(status)];
    return refusal(status);
  }
  if (luck < 14) {
    ++faults["no connection"];
    return Error{ErrorCode::unavailable, "connection refused", {}};
  }
  auto answer = truth.send(request, std::move(stop));
  truth.calls.clear();
  if (luck < 19) {
    ++faults["taken, and no answer"];
    return Error{ErrorCode::unavailable, "connection reset", {}};
  }
  if (luck < 22 && answer && answer->body.size() > 2) {
    ++faults["answer cut"];
    answer->body.resize(answer->body.size() / 2);
  }
  return answer;
}

} // namespace rb::test
