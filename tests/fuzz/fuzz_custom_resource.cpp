// Whatever the API server hands out as a ClusterBackup or a NodeBackup: refused or taken, never a
// crash; and what is taken is written and read back as the same.
#include "api/backup.hpp"
#include "base/json_fields.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <cstdlib>

namespace {

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

/// The object that a write makes of `value`, with its status.
template <typename Value> nlohmann::json written(const Value& value) {
  nlohmann::json object = rb::api::to_json(value);
  object["status"] = rb::api::to_json(value.status);
  return object;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto object = rb::json_of({reinterpret_cast<const char*>(data), size});
  if (object.is_discarded()) {
    return 0;
  }
  if (const auto backup = rb::api::cluster_backup_from_json(object)) {
    static_cast<void>(backup->finished());
    const nlohmann::json once = written(*backup);
    const auto again = rb::api::cluster_backup_from_json(once);
    require(again && written(*again) == once);
  }
  if (const auto order = rb::api::node_backup_from_json(object)) {
    static_cast<void>(order->finished());
    const nlohmann::json once = written(*order);
    const auto again = rb::api::node_backup_from_json(once);
    require(again && written(*again) == once);
  }
  return 0;
}
