// What lawfully comes and goes in a cluster that has just been restored: it is no sign of a restore
// that lost something.
#pragma once

#include <string_view>

namespace rb::recover {

/// Objects of this kind are made, renewed and removed by the server and its controllers all the
/// time, or by a restart. `kind` as etcd names it.
[[nodiscard]] bool is_restless_kind(std::string_view kind);

/// This object goes by itself, though others of its kind must stay. `key` is that below /registry/:
/// "configmaps/NAMESPACE/NAME".
[[nodiscard]] bool is_transient_object(std::string_view key);

/// Some objects of the kind are transient, so that they must be told apart by their names.
[[nodiscard]] bool has_transient_objects(std::string_view kind);

} // namespace rb::recover
