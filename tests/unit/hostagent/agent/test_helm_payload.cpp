#include "agent/run/helm_payload.hpp"

#include "api/backup.hpp"
#include "base/digest.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <map>

using namespace rb;
using namespace rb::agent;

namespace {

class Pieces {
public:
  std::map<std::string, std::string> pieces;
  int refusals = 0; ///< Of the first calls, with `code`.
  ErrorCode code = ErrorCode::unavailable;
  int calls = 0;

  Result<Bytes> operator()(const std::string& config_map, const std::stop_token&) {
    if (++calls <= refusals) {
      return Error{code, "no answer", {}};
    }
    const auto it = pieces.find(config_map);
    if (it == pieces.end()) {
      return Error{ErrorCode::not_found, "configmap " + config_map + ": not found", {}};
    }
    return Bytes(it->second.begin(), it->second.end());
  }
};

/// Does not wait.
class CountedWaits final : public Waiter {
public:
  bool wait(std::chrono::milliseconds time, const std::stop_token& stop) override {
    waited += time;
    on_wait();
    return !stop.stop_requested();
  }

  std::chrono::milliseconds waited{0};
  std::function<void()> on_wait = [] {};
};

Result<Bytes> fetch(Pieces& source, const api::HelmPayload& payload) {
  CountedWaits waiter;
  return fetch_payload(std::ref(source), payload, waiter, {});
}

const std::string k_whole = "age-encryption.org/v1\nthe rest of it";

api::HelmPayload payload_of(const std::string& whole) {
  return {{"p-0", "p-1"}, whole.size(), to_hex(sha256(as_bytes(whole)))};
}

void cut_into(Pieces& source, const std::string& whole) {
  source.pieces = {{"p-0", whole.substr(0, 30)}, {"p-1", whole.substr(30)}};
}

} // namespace

TEST_CASE("the pieces are joined in the order of the order") {
  Pieces source;
  cut_into(source, k_whole);
  const auto joined = fetch(source, payload_of(k_whole));
  REQUIRE(joined);
  CHECK(as_text(*joined) == k_whole);
}

TEST_CASE("a payload that is not what the order says is refused") {
  Pieces source;
  cut_into(source, k_whole);
  source.pieces["p-1"][0] = 'X';
  CHECK(fetch(source, payload_of(k_whole)).error().message ==
        "Helm payload: its SHA-256 is not the one that the order says");
  cut_into(source, k_whole + "more");
  CHECK(fetch(source, payload_of(k_whole)).error().message ==
        "Helm payload: it has more bytes than the order says");
  cut_into(source, k_whole.substr(0, k_whole.size() - 1));
  CHECK(fetch(source, payload_of(k_whole)).error().message.find("the order says") !=
        std::string::npos);
  const std::string plain = "not encrypted at all, by mistake: values";
  cut_into(source, plain);
  CHECK(fetch(source, payload_of(plain)).error().message == "Helm payload: it is not an age file");
  source.pieces.erase("p-1");
  CHECK(fetch(source, payload_of(k_whole)).error().code == ErrorCode::not_found);
}

TEST_CASE("a payload that claims to be huge is not fetched") {
  Pieces source;
  auto payload = payload_of(k_whole);
  payload.size_bytes = api::k_payload_limit_bytes + 1;
  CHECK(fetch(source, payload).error().code == ErrorCode::unsupported);
}

TEST_CASE("a payload is waited for while the API server is away, and not for ever") {
  for (const ErrorCode code : {ErrorCode::unavailable,
                               ErrorCode::timeout,
                               ErrorCode::throttled,
                               ErrorCode::unauthenticated,
                               ErrorCode::permission_denied}) {
    Pieces source;
    cut_into(source, k_whole);
    source.code = code;
    source.refusals = 5;
    CountedWaits waiter;
    CHECK(fetch_payload(std::ref(source), payload_of(k_whole), waiter, {}));
    CHECK(waiter.waited == std::chrono::milliseconds(500 + 1000 + 2000 + 4000 + 5000));
    source.calls = 0;
    source.refusals = 1000;
    waiter.waited = {};
    CHECK(fetch_payload(std::ref(source), payload_of(k_whole), waiter, {}).error().code == code);
    CHECK(waiter.waited <= std::chrono::seconds(30));
  }
}

TEST_CASE("what the API server means is not asked for again, nor is anything after a stop") {
  Pieces source;
  cut_into(source, k_whole);
  source.refusals = 1;
  source.code = ErrorCode::invalid_argument;
  CHECK_FALSE(fetch(source, payload_of(k_whole)).has_value());
  CHECK(source.calls == 1);
  source.calls = 0;
  source.refusals = 1000;
  source.code = ErrorCode::unavailable;
  std::stop_source stop;
  CountedWaits waiter;
  waiter.on_wait = [&] { stop.request_stop(); };
  CHECK_FALSE(
      fetch_payload(std::ref(source), payload_of(k_whole), waiter, stop.get_token()).has_value());
  CHECK(source.calls == 2);
}
