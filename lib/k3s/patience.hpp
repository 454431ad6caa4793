// How long is waited for k3s where its datastore is large.
#pragma once

#include <chrono>
#include <cstdint>

namespace rb::k3s {

/// How long a reset, or a start after it, may take with a datastore of that size, where `usual`
/// will do for a small one: k3s and etcd read it several times and write it twice, maybe on an SD
/// card.
[[nodiscard]] std::chrono::seconds patience_for(std::uint64_t datastore_bytes,
                                                std::chrono::seconds usual);

} // namespace rb::k3s
