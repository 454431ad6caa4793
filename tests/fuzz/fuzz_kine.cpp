// A hostile database: inspect() and replay() must return, within their limits, whatever the bytes
// are.
#include "datastore/sqlite/kine.hpp"

#include <algorithm>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  rb::Bytes file(data, data + size);
  rb::sqlite::FileCheck check;
  check.update(file);
  static_cast<void>(check.finish());

  std::copy_n(
      rb::sqlite::k_magic.begin(), std::min(file.size(), rb::sqlite::k_magic.size()), file.begin());
  rb::MemoryReader reader(file);
  const auto facts = rb::sqlite::inspect(reader, {rb::sqlite::Depth::whole, {"/registry/a"}, 8});
  std::uint64_t rows = 0;
  const rb::Status replayed = rb::sqlite::replay(reader, [&rows](const auto& /*change*/) {
    ++rows;
    return rb::Status();
  });
  // What was found whole can be read to its end.
  if (facts && (!replayed || rows < facts->total_keys)) {
    std::abort();
  }
  return 0;
}
