// Which port a remote of rclone.conf is reached at: a network policy that does not let it through
// looks like a server that is away. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rb::offsite {

/// The port of NAME in "NAME:PATH", by `port`, `url`, `endpoint` or the kind's usual one; remotes
/// that stand on another one (crypt, alias, …) are followed. Nothing: the file does not say.
[[nodiscard]] std::optional<int> remote_port(std::string_view rclone_conf,
                                             const std::string& remote);

/// What to do next when the remote cannot be reached and only `let_through` are. Empty: no policy
/// stands in the way.
[[nodiscard]] std::string unreachable_hint(std::optional<int> port,
                                           const std::vector<int>& let_through);

} // namespace rb::offsite
