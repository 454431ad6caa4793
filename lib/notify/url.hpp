// The address of a receiver. Whoever has the URL of a dead-man check can say that all is well, and
// whoever has that of a webhook can write there: path and query are secrets. Only the host may be
// told.
#pragma once

#include "base/result.hpp"
#include "base/secret_bytes.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rb::notify {

struct ReceiverUrl {
  bool tls = true;
  std::string host; ///< A name, or an address without brackets. "name." is searched for nowhere.
  std::uint16_t port = 443;
  SecretBytes target;      ///< Path and query, "/" at least.
  SecretBytes credentials; ///< "user:password", decoded; empty: the URL has none.

  /// The host without a dot at its end: so certificates and virtual hosts know it.
  [[nodiscard]] std::string name() const;
  /// As in the header Host: the port where it is not that of the scheme.
  [[nodiscard]] std::string authority() const;
};

/// http:// shows the secret to everybody on the way.
enum class PlainHttp { refused, allowed };

/// White space around it is passed over: files end in a line feed. Errors: invalid_argument; the
/// message never has a part of the text.
[[nodiscard]] Result<ReceiverUrl> parse_url(std::string_view text, PlainHttp plain);

/// `url` with `suffix` at the end of its path, before a query: "/start".
[[nodiscard]] ReceiverUrl with_suffix(const ReceiverUrl& url, std::string_view suffix);

/// `url` with these parameters at the end of its query, percent-encoded, and without others of the
/// same names.
[[nodiscard]] ReceiverUrl
with_query(ReceiverUrl url, const std::vector<std::pair<std::string, std::string>>& parameters);

} // namespace rb::notify
