// Annotations of a Kubernetes object as the API server stores it.
#pragma once

#include "base/bytes.hpp"

#include <string>
#include <string_view>

namespace rb::etcd {

/// The value of the annotation; empty where the object has none of that name, or is not stored as
/// Kubernetes' protobuf or JSON (an object that is encrypted in the store is neither).
[[nodiscard]] std::string stored_annotation(ByteView object, std::string_view name);

} // namespace rb::etcd
