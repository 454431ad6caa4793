// What the name of a key in etcd says: the kind of a Kubernetes object, k3s's bootstrap data.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace rb::etcd {

/// Stands for kinds whose names are not fit to print, and for those over k_kind_limit.
inline constexpr std::string_view k_other_kind = "(other)";

/// The kind of "/registry/<kind>/…": one segment, or two where the first is an API group or
/// "services". Absent for keys elsewhere; k_other_kind where it would not be fit to print.
[[nodiscard]] std::optional<std::string> object_kind(std::string_view key);

/// The <hash> of "/bootstrap/<hash>"; absent for other keys, and for what k3s would not write.
[[nodiscard]] std::optional<std::string> bootstrap_hash(std::string_view key);

} // namespace rb::etcd
