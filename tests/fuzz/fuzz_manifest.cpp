// A hostile manifest or stamp: refused or taken, never a crash; and what is taken is written and
// read back as the same.
#include "artifact/names.hpp"
#include "artifact/stamp.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = rb::as_text(rb::ByteView(data, size));
  static_cast<void>(rb::artifact::classify_name(text));
  if (const auto manifest = rb::artifact::parse_manifest(text)) {
    const std::string once = rb::artifact::serialize(*manifest);
    const auto again = rb::artifact::parse_manifest(once);
    // Text that is not UTF-8 never gets through the parser, so nothing is replaced on the way.
    if (!again || !(*again == *manifest) || rb::artifact::serialize(*again) != once) {
      std::abort();
    }
  }
  if (const auto stamp = rb::artifact::parse_stamp(text)) {
    static_cast<void>(rb::artifact::serialize(*stamp));
  }
  return 0;
}
