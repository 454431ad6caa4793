// An object as etcd holds it, in protobuf or JSON: its uid or nothing, never a crash.
#include "objects/stored_uid.hpp"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (rb::objects::stored_uid(rb::ByteView(data, size)).size() > size) {
    std::abort();
  }
  return 0;
}
