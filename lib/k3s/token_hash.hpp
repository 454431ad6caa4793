// The k3s server token: without it a snapshot cannot be restored on another host.
#pragma once

#include <string>
#include <string_view>

namespace rb::k3s {

/// The first 12 hex digits of SHA-256 of the password part of the token
/// ("K10<hash>::<user>:<password>", or the password alone): k3s names the key /bootstrap/<hash> in
/// etcd after it. White space around the token does not count. Empty for an empty token.
[[nodiscard]] std::string token_hash(std::string_view token);

} // namespace rb::k3s
