// A hostile manifest: refused or taken, never a crash; and what is taken is written and
// read back as the same.
#include "set/manifest.hpp"
#include "set/names.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = rb::as_text(rb::ByteView(data, size));
  static_cast<void>(rb::set::classify_name(text));
  if (const auto manifest = rb::set::parse_manifest(text)) {
    const std::string once = rb::set::serialize(*manifest);
    const auto again = rb::set::parse_manifest(once);
    // Text that is not UTF-8 never gets through the parser, so nothing is replaced on the way.
    if (!again || !(*again == *manifest) || rb::set::serialize(*again) != once) {
      std::abort();
    }
  }
  return 0;
}
