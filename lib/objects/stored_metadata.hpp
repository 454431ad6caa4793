// What the metadata of an object says, as the API server stores it in etcd.
#pragma once

#include "base/bytes.hpp"

#include <string>

namespace rb::objects {

struct StoredMetadata {
  std::string uid = {}; ///< Empty where it cannot be read, as of what is encrypted ("k8s:enc:…").
  std::string owner = {};  ///< The uid of its one owner; empty where it has none, or several.
  bool controlled = false; ///< It has an owner, or is labelled as managed by the aggregator.
  bool deleting = false;   ///< Its deletion was asked for.
};

/// Of built-in kinds in protobuf behind "k8s\0" (Kubernetes, apimachinery
/// runtime/serializer/protobuf), of custom resources in JSON.
[[nodiscard]] StoredMetadata stored_metadata(ByteView value);

} // namespace rb::objects
