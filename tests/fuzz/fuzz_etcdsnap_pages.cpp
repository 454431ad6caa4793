// A hostile snapshot: inspect() must return, within its limits, whatever the bytes are. The meta
// pages are given right checksums, so that the fuzzer gets past them.
#include "datastore/etcd/snapshot.hpp"

#include <cstring>

namespace {

void fix_meta(rb::Bytes& file, std::size_t meta) {
  constexpr std::size_t checksum_offset = 56;
  if (file.size() < meta + checksum_offset + 8) {
    return;
  }
  const std::uint32_t magic = 0xED0CDAED;
  const std::uint32_t version = 2;
  std::memcpy(file.data() + meta, &magic, sizeof magic);
  std::memcpy(file.data() + meta + 4, &version, sizeof version);
  std::uint64_t hash = 0xcbf29ce484222325;
  for (std::size_t at = meta; at < meta + checksum_offset; ++at) {
    hash = (hash ^ file[at]) * 0x100000001b3;
  }
  std::memcpy(file.data() + meta + checksum_offset, &hash, sizeof hash);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  rb::Bytes file(data, data + size);
  rb::etcd::TrailerCheck check;
  check.update(file);
  static_cast<void>(check.finish());

  fix_meta(file, 16);
  rb::etcd::InspectLimits limits;
  limits.live_keys = 32;
  limits.node_bytes = 1U << 16U;
  limits.branch_bytes = 1U << 16U;
  rb::MemoryReader reader(file);
  static_cast<void>(rb::etcd::inspect(reader, limits));
  return 0;
}
