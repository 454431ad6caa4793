// Damage to a stored release is noticed, or changes nothing.
#include "support/helm_records.hpp"
#include "support/random.hpp"

#include "helm/release.hpp"

#include <doctest/doctest.h>

using namespace rb;

namespace {

const std::string k_values =
    R"({"a":{"b":[1,2,{"c":"text of some length\nand lines\n"}]},"d":"é"})";
const std::string k_json = test::record_json("app", "ns", k_values);

helm::StoredRelease object() {
  return test::stored("ns", "app", 1);
}

} // namespace

TEST_CASE("a damaged gzip record is refused, or reads the same") {
  test::Random random = test::Random::seeded();
  CAPTURE(random.seed());
  const auto packed = archive::gzip(as_bytes(k_json));
  const auto good = helm::decode_release_record(object(), to_base64(packed->view()));
  REQUIRE(good.has_value());
  for (int round = 0; round < 20'000; ++round) {
    Bytes damaged(packed->view().begin(), packed->view().end());
    if (random.below(3) == 0) {
      damaged.resize(random.below(damaged.size()));
    } else {
      // Beyond the 10 bytes of the header, which gzip does not protect.
      damaged[10 + random.below(damaged.size() - 10)] =
          static_cast<std::uint8_t>(random.below(256));
    }
    const auto release = helm::decode_release_record(object(), to_base64(damaged));
    if (release) {
      REQUIRE(release->values_yaml.text() == good->values_yaml.text());
      REQUIRE(release->chart_version == good->chart_version);
    } else {
      REQUIRE_FALSE(release.error().message.empty());
      REQUIRE(release.error().code != ErrorCode::internal);
    }
  }
}

TEST_CASE(
    "whatever stands in the JSON, the result is a release with a safe name or a typed error") {
  test::Random random = test::Random::seeded();
  CAPTURE(random.seed());
  for (int round = 0; round < 20'000; ++round) {
    std::string json = k_json;
    for (std::size_t count = 1 + random.below(3); count > 0; --count) {
      const std::size_t at = random.below(json.size());
      switch (random.below(3)) {
      case 0:
        json[at] = static_cast<char>(random.below(256));
        break;
      case 1:
        json.erase(at, 1 + random.below(10));
        break;
      default:
        json.insert(at, json.substr(random.below(json.size()), random.below(20)));
      }
    }
    const auto release = helm::decode_release_record(object(), to_base64(as_bytes(json)));
    if (release) {
      REQUIRE(release->recorded.name.find('/') == std::string::npos);
      REQUIRE_FALSE(release->values_yaml.empty());
    } else {
      const ErrorCode code = release.error().code;
      const bool typed = code == ErrorCode::corrupt || code == ErrorCode::incomplete ||
                         code == ErrorCode::invalid_argument || code == ErrorCode::unsupported;
      REQUIRE(typed);
    }
  }
}
