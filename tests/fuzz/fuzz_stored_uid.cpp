// An object as etcd holds it, in protobuf or JSON: its uid or nothing, never a crash.
#include "objects/contents.hpp"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (rb::objects::stored_metadata(rb::ByteView(data, size)).uid.size() > size) {
    std::abort();
  }
  return 0;
}
