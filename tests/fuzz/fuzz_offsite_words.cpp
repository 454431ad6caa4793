// What rclone prints, and what we remember of it: names are single components; a state that is
// taken is written and read back as the same.
#include "offsite/decide.hpp"
#include "offsite/rclone_words.hpp"

#include "base/bytes.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace {

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = rb::as_text(rb::ByteView(data, size));
  if (const auto files = rb::offsite::parse_listing(text)) {
    require(std::ranges::none_of(*files, [](const rb::offsite::RemoteFile& file) {
      return file.name.empty() || file.name == ".." || file.name.find('/') != std::string::npos;
    }));
  }
  if (const auto digest = rb::offsite::parse_sha256(text)) {
    require(digest->size() == 64);
  }
  if (const auto state = rb::offsite::parse_state(text)) {
    const std::string once = rb::offsite::serialize(*state);
    const auto again = rb::offsite::parse_state(once);
    require(again && rb::offsite::serialize(*again) == once);
  }
  return 0;
}
