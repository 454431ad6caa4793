#include "agent/payload_source.hpp"

#include "base/sha256.hpp"

#include <doctest/doctest.h>

#include <map>

using namespace rb;
using namespace rb::agent;

namespace {

class Pieces final : public PayloadSource {
public:
  std::map<std::string, std::string> pieces;

  Result<Bytes> piece(const std::string& config_map, std::stop_token) override {
    const auto it = pieces.find(config_map);
    if (it == pieces.end()) {
      return Error{ErrorCode::not_found, "configmap " + config_map + ": not found", {}};
    }
    return Bytes(it->second.begin(), it->second.end());
  }
};

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
  const auto joined = fetch_payload(source, payload_of(k_whole), {});
  REQUIRE(joined);
  CHECK(as_text(*joined) == k_whole);
}

TEST_CASE("a payload that is not what the order says is refused") {
  Pieces source;
  cut_into(source, k_whole);
  source.pieces["p-1"][0] = 'X';
  CHECK(fetch_payload(source, payload_of(k_whole), {}).error().message ==
        "Helm payload: its SHA-256 is not the one that the order says");
  cut_into(source, k_whole + "more");
  CHECK(fetch_payload(source, payload_of(k_whole), {}).error().message ==
        "Helm payload: it has more bytes than the order says");
  cut_into(source, k_whole.substr(0, k_whole.size() - 1));
  CHECK(fetch_payload(source, payload_of(k_whole), {}).error().message.find("the order says") !=
        std::string::npos);
  const std::string plain = "not encrypted at all, by mistake: values";
  cut_into(source, plain);
  CHECK(fetch_payload(source, payload_of(plain), {}).error().message ==
        "Helm payload: it is not an age file");
  source.pieces.erase("p-1");
  CHECK(fetch_payload(source, payload_of(k_whole), {}).error().code == ErrorCode::not_found);
}

TEST_CASE("a payload that claims to be huge is not fetched") {
  Pieces source;
  auto payload = payload_of(k_whole);
  payload.size_bytes = k_payload_limit_bytes + 1;
  CHECK(fetch_payload(source, payload, {}).error().code == ErrorCode::unsupported);
}
