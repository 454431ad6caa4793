// Which ports a remote of rclone's configuration file is reached at: a network policy that does not
// let that through looks like a server that is away. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rb::offsite {

/// The ports of NAME in "NAME:PATH", in their order, each once, by `port`, `url`, `endpoint` or the
/// kind's usual one; remotes that stand on others (crypt, alias, union, combine, …) are followed.
/// Empty: the file does not say.
[[nodiscard]] std::vector<int> remote_ports(std::string_view rclone_conf,
                                            const std::string& remote);

/// What to do next when the remote at `ports` cannot be reached and only `let_through` are. Empty:
/// no policy stands in the way.
[[nodiscard]] std::string unreachable_hint(const std::vector<int>& ports,
                                           const std::vector<int>& let_through);

} // namespace rb::offsite
