// What Kubernetes, k3s and this product make, renew and remove by themselves, and why: known by
// kind and name, in one table. Whatever compares a cluster with a snapshot asks here.
#pragma once

#include <string_view>

namespace rb::objects {

struct SelfMade {
  /// Of keys below /registry/: '*' stands for anything but '/', '?' for one character of a suffix
  /// that Kubernetes generates, and a '**' at the end for anything.
  std::string_view keys;
  std::string_view reason; ///< Ends the sentence "it may be gone: …".
  enum class Which {
    all,
    controlled, ///< Only those that a controller made: whoever made the others wants them back.
    unserved,   ///< The API server's own: no API lists them, so nothing can be said of them.
  } which = Which::all;
};

/// The row of an object; null: it is the operator's. `key` is that below /registry/
/// ("configmaps/NAMESPACE/NAME"); `controlled`: an owner reference or a label says that a
/// controller made it.
[[nodiscard]] const SelfMade* self_made(std::string_view key, bool controlled);

/// The row of all objects of a kind ("events"); null: they are told apart by name.
[[nodiscard]] const SelfMade* self_made_kind(std::string_view kind);

/// No API lists this object.
[[nodiscard]] bool is_unserved(std::string_view key);

} // namespace rb::objects
