// The uid in an object as the API server stores it in etcd.
#pragma once

#include "base/bytes.hpp"

#include <string>

namespace rb::objects {

/// metadata.uid of a stored object: of built-in kinds in protobuf behind "k8s\0" (Kubernetes,
/// apimachinery runtime/serializer/protobuf), of custom resources in JSON. Empty where it cannot
/// be read, as of what is encrypted ("k8s:enc:…").
[[nodiscard]] std::string stored_uid(ByteView value);

} // namespace rb::objects
