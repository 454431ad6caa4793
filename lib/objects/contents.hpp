// The objects of Kubernetes as the API server stores them: what a copy of the datastore holds,
// object by object, to be compared with a server, and what the metadata of one object says.
#pragma once

#include "base/bytes.hpp"
#include "base/random_reader.hpp"

#include <cstdint>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>

namespace rb::objects {

/// What the metadata of an object says.
struct StoredMetadata {
  std::string uid = {}; ///< Empty where it cannot be read, as of what is encrypted ("k8s:enc:…").
  std::string owner = {};  ///< The uid of its one owner; empty where it has none, or several.
  bool controlled = false; ///< It has an owner, or is labelled as managed by the aggregator.
  bool deleting = false;   ///< Its deletion was asked for.
};

/// Of built-in kinds in protobuf behind "k8s\0" (Kubernetes, apimachinery
/// runtime/serializer/protobuf), of custom resources in JSON.
[[nodiscard]] StoredMetadata stored_metadata(ByteView value);

/// The value of the annotation; empty where the object has none of that name, or is stored in
/// neither form.
[[nodiscard]] std::string stored_annotation(ByteView object, std::string_view name);

/// Of a Node, the version of its kubelet ("v1.34.4+k3s1"): of a server of k3s that of k3s, as it
/// runs. Empty where the object says none, or is stored in neither form.
[[nodiscard]] std::string stored_kubelet_version(ByteView node);

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

/// Of a copy of any datastore. Errors: corrupt, unsupported (over the limit), cancelled, io.
[[nodiscard]] Result<Contents> read_contents(RandomReader& reader, const std::stop_token& stop);

/// As read_contents, of a file.
[[nodiscard]] Result<Contents> read_contents_of(const std::string& path,
                                                const std::stop_token& stop);

} // namespace rb::objects
