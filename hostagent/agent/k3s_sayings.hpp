// What the words of `k3s etcd-snapshot` mean, from release to release. Source: k3s, observed and
// read (messages of pkg/etcd, pkg/clientaccess and pkg/cli/etcdsnapshot).
#pragma once

#include "api/reason.hpp"

#include <string_view>

namespace rb::agent {

struct Saying {
  std::string_view words;
  api::Reason reason;
  std::string_view hint;
};

/// The first saying that `text` holds, or null.
[[nodiscard]] const Saying* find_saying(std::string_view text);

/// The client gave up waiting: the server may have finished all the same.
[[nodiscard]] bool speaks_of_timeout(std::string_view text);

/// The server was busy, or went away in the middle: worth another try.
[[nodiscard]] bool speaks_of_passing_trouble(std::string_view text);

} // namespace rb::agent
