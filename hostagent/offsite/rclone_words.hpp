// What rclone prints when it succeeds, why it failed, and which ports a remote of its configuration
// file is reached at: a network policy that does not let that through looks like a server that is
// away. Pure; bad input gives an error.
#pragma once

#include "offsite/remote_store.hpp"

#include "api/reason.hpp"
#include "base/process.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rb::offsite {

/// `rclone lsjson`: files only; names that are not single components are left out. Errors: corrupt.
[[nodiscard]] Result<std::vector<RemoteFile>> parse_listing(std::string_view json);

/// `rclone hashsum sha256 FILE`: one line of 64 hex digits, two spaces and a name. Errors: corrupt.
[[nodiscard]] Result<std::string> parse_sha256(std::string_view text);

/// Nothing when it succeeded. `subject` begins the message; rclone's last words follow, on one
/// line, without its time stamp and without user and password of a URL.
[[nodiscard]] std::optional<Error> rclone_failure(const ProcessResult& result,
                                                  const std::string& subject);

/// The word of the condition Replicated for a failure.
[[nodiscard]] api::Reason reason_of(const Error& error);

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
