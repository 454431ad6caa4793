// Whatever a server sends in a watch: no crash, one wish at most for each line, no
// upsert without a name, and no more held than the limit of a line.
#include "kube/watch_fsm.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace rb::kube;

namespace {

constexpr std::size_t k_line_limit_bytes = 4096;

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

/// Looks at the outputs as a consumer would; true when the watch must end.
bool take(const std::vector<WatchOutput>& outputs) {
  int wishes = 0;
  for (const WatchOutput& output : outputs) {
    if (const auto* upsert = std::get_if<Upsert>(&output)) {
      const auto& metadata = upsert->object.at("metadata");
      require(metadata.at("name").is_string() && !metadata.contains("managedFields"));
    } else if (const auto* watch = std::get_if<DoWatch>(&output)) {
      require(!watch->resource_version.empty());
      ++wishes;
    } else if (std::holds_alternative<DoList>(output)) {
      ++wishes;
    }
  }
  require(wishes <= 1);
  return wishes == 1;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  WatchFsm fsm;
  (void)take(fsm.start());
  (void)take(fsm.on(Listed{nlohmann::json::array(), "1", {}}));
  LineFramer framer(k_line_limit_bytes);
  // Cut at every 7th byte, so that lines come in pieces.
  constexpr std::size_t piece = 7;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    const auto more = framer.push(bytes.substr(at, piece), [&](std::string_view line) {
      require(line.size() <= k_line_limit_bytes && !line.empty());
      if (take(fsm.on(LineReceived{line}))) {
        (void)take(fsm.on(Listed{nlohmann::json::array(), "2", {}}));
      }
      return true;
    });
    require(framer.pending_bytes() <= k_line_limit_bytes);
    if (!more) {
      break;
    }
  }
  (void)take(fsm.on(WatchEnded{}));
  return 0;
}
