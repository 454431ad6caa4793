// What a snapshot holds of Kubernetes, object by object: what a server that was booted from it is
// held against.
#pragma once

#include "datastore/etcd/random_reader.hpp"
#include "objects/stored_metadata.hpp"

#include <cstdint>
#include <map>
#include <stop_token>
#include <string>

namespace rb::objects {

struct StoredObject {
  std::int64_t revision = 0; ///< Of its last change: its metadata.resourceVersion.
  StoredMetadata metadata = {};
};

struct Contents {
  std::int64_t revision = 0; ///< Of the whole store.
  /// Live keys below /registry/, by what follows that: "pods/default/web".
  std::map<std::string, StoredObject> objects;
};

/// About 250 bytes an object are held: so many of them are taken.
inline constexpr std::size_t k_object_limit = std::size_t{1} << 20U;

/// Errors: corrupt, unsupported (over the limit), cancelled, io.
[[nodiscard]] Result<Contents> read_contents(etcd::RandomReader& reader,
                                             const std::stop_token& stop);

/// As read_contents, of a file.
[[nodiscard]] Result<Contents> read_contents_of(const std::string& path,
                                                const std::stop_token& stop);

} // namespace rb::objects
