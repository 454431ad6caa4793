// The k3s server token, without which a snapshot cannot be restored on another host, and which
// cluster something is of: its certificate authority says so. The token does not: it can be
// rotated.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rb::k3s {

/// The first 12 hex digits of SHA-256 of the password part of the token
/// ("K10<hash>::<user>:<password>", or the password alone): k3s names the key /bootstrap/<hash> in
/// etcd after it. White space around the token does not count. Empty for an empty token.
[[nodiscard]] std::string token_hash(std::string_view token);

/// The password part of the token; a view into it. k3s's supervisor takes it with the user name
/// "server".
[[nodiscard]] std::string_view token_password(std::string_view token);

/// Below the data directory.
inline constexpr std::string_view k_server_ca = "server/tls/server-ca.crt";

/// SHA-256 of the file server-ca.crt, in lower-case hex; empty for an empty file.
[[nodiscard]] std::string cluster_ca_of_file(std::string_view pem);

/// The hash that a full token names ("K10<64 hex digits>::server:…"): the same, but for a CA that
/// has intermediates. Empty for a token without one.
[[nodiscard]] std::string cluster_ca_of_token(std::string_view token);

/// One of them is known; of what was not to be read there is an empty text.
[[nodiscard]] bool knows_authority(const std::vector<std::string>& cas);

/// Both know an authority of the other. False also where one of them knows none.
[[nodiscard]] bool is_same_cluster(const std::vector<std::string>& some,
                                   const std::vector<std::string>& others);

} // namespace rb::k3s
