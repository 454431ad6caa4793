// Releases of k3s: how they follow each other, which etcd each brings, and which of them may take
// over the data of which. The one table of this; docs/versions.md says where each row was seen.
// Pure. What is not known is told as such, and is no reason to refuse.
#pragma once

#include "api/artifacts.hpp"

#include <compare>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace rb::k3s {

/// "v1.34.4+k3s1", in the order of releases: a release candidate comes before its release.
struct Release {
  int major = 0;
  int minor = 0;
  int patch = 0;
  int candidate = std::numeric_limits<int>::max(); ///< Of "-rc2"; the default: it is none.
  int build = 0;                                   ///< Of "+k3s1"; 0 where there is none.

  auto operator<=>(const Release&) const = default;
};

/// Also "1.34.4", and "v1.34.4-k3s1" as image tags have it. Nothing for other text.
[[nodiscard]] std::optional<Release> parse_release(std::string_view text);

/// It is a release of k3s itself ("v1.34.4+k3s1"), and may be repeated on a command line.
[[nodiscard]] bool is_release_of_k3s(std::string_view text);

/// Of "3.6.4" the first two numbers.
struct EtcdMinor {
  int major = 0;
  int minor = 0;

  auto operator<=>(const EtcdMinor&) const = default;
};

/// "3.6"
[[nodiscard]] std::string to_string(EtcdMinor etcd);

/// Nothing: it is not known which one.
[[nodiscard]] std::optional<EtcdMinor> etcd_of(const Release& release);

/// A copy of a datastore, as its manifest has it.
struct StoredData {
  api::DatastoreKind kind = api::DatastoreKind::etcd;
  std::string k3s_version;     ///< Of the server that it was taken of; may be empty.
  std::string storage_version; ///< "3.6.0": written by etcd since 3.6; may be empty.
};

enum class Fit {
  good,
  doubtful, ///< It may go well: say it and go on.
  refused,  ///< It does not go well.
};

struct FitVerdict {
  Fit fit = Fit::good;
  std::string message;
  std::string hint; ///< Which k3s to install; empty where there is nothing to do.
};

/// Whether the k3s `here` ("v1.34.4+k3s1") may restore these data, or boot from them: the same or a
/// higher minor release of k3s, with the same or a higher minor release of etcd.
[[nodiscard]] FitVerdict judge_restore(const StoredData& data, const std::string& here);

enum class WayBack {
  binary,  ///< The older program starts on what the newer one leaves.
  restore, ///< Only a set from before the upgrade leads back.
  unknown,
};

struct WayBackVerdict {
  WayBack way = WayBack::unknown;
  std::string message;
};

/// What a downgrade from `to` to `from` would need. Precondition: `to` is not the older one.
[[nodiscard]] WayBackVerdict
judge_way_back(api::DatastoreKind kind, const std::string& from, const std::string& to);

} // namespace rb::k3s
