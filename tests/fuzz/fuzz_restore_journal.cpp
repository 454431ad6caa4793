// A journal that a crash or a hand has damaged: refused or taken; what is taken is written and read
// back as the same.
#include "restore/cluster/journal.hpp"

#include "base/bytes.hpp"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto state = rb::cluster::parse_journal(rb::as_text(rb::ByteView(data, size)));
  if (!state) {
    return 0;
  }
  const std::string once = rb::cluster::serialize(*state);
  const auto again = rb::cluster::parse_journal(once);
  if (!again || rb::cluster::serialize(*again) != once) {
    std::abort();
  }
  return 0;
}
