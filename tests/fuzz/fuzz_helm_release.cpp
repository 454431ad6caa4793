// A stored release: any bytes as the JSON of a record, or (first byte 0) as the record itself.
// Whatever is decoded has safe names and YAML that a parser takes.
#include "base/bytes.hpp"
#include "helm/index.hpp"
#include "helm/release.hpp"

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <cstdlib>
#include <string>

using namespace rb;

namespace {

helm::StoredRelease object() {
  return {.name_space = "ns",
          .object_name = "sh.helm.release.v1.app.v1",
          .labels = {{"name", "app"}, {"version", "1"}}};
}

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  const bool raw = size != 0 && data[0] == 0;
  const std::string record = raw ? std::string(as_text(input.subspan(1))) : to_base64(input);
  // 200 levels: the parser that checks us recurses more deeply than the sanitizers' stack allows.
  const helm::Limits limits{.max_json_bytes = 1U << 20U, .max_depth = 200};
  const auto release = helm::decode_release_record(object(), record, limits);
  if (!release) {
    require(!release.error().message.empty() && release.error().code != ErrorCode::internal);
    return 0;
  }
  require(helm::is_safe_namespace(release->recorded.name_space));
  require(helm::is_safe_release_name(release->recorded.name));
  const YAML::Node values = YAML::Load(std::string(release->values_yaml.text()));
  require(values.IsMap() || values.IsNull());
  require(release->has_values == (values.IsMap() && values.size() != 0));
  return 0;
}
