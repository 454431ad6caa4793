// What a copy of a datastore is and holds, whichever kind of datastore it is of.
#pragma once

#include "base/bytes.hpp"
#include "base/digest.hpp"
#include "base/port.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace rb::datastore {

/// A server that the datastore is spread over, as etcd knows it.
struct Member {
  std::string name;     ///< "server-1-1a2b3c4d"; may be empty.
  std::string peer_url; ///< The first one, "https://192.0.2.11:2380"; may be empty.
};

/// The meaning behind the digest.
struct CopyFacts {
  std::int64_t revision = 0;    ///< Of the last change in it.
  std::uint64_t total_keys = 0; ///< Live keys.
  std::uint32_t hash = 0;       ///< Over names, keys and values; 0 where the kind has none.
  std::string storage_version;  ///< Of the program that wrote it, "3.6.0"; may be empty.
  /// Live keys below /registry by kind: "pods", "secrets", "services/specs",
  /// "helm.cattle.io/helmcharts". At most k_kind_limit kinds; the rest is in "(other)".
  std::map<std::string, std::uint64_t> objects;
  /// The <hash> of each live key /bootstrap/<hash>: k3s names it after its server token.
  std::vector<std::string> bootstrap_hashes;
  std::vector<Member> members; ///< In the order of their names.
  /// The last values of the keys that were asked for; those that are not there are absent.
  std::map<std::string, Bytes> wanted_values;

  /// Of one of them, or null.
  [[nodiscard]] const Bytes* wanted(const std::string& key) const {
    const auto found = wanted_values.find(key);
    return found == wanted_values.end() ? nullptr : &found->second;
  }
};

struct CopyDigests {
  Sha256Digest content{};       ///< Without what the kind adds at the end.
  Sha256Digest file{};          ///< Of the whole file.
  std::uint64_t size_bytes = 0; ///< Of the whole file.
};

/// What the bytes of a copy prove as they pass, in order and in pieces of any size. Used by one
/// thread at a time.
class CopyCheck : public Port {
public:
  virtual void update(ByteView bytes) = 0;

  /// Once, after the last byte. Errors: corrupt.
  [[nodiscard]] virtual Result<CopyDigests> finish() = 0;
};

/// One of all that happened to the keys, in the order of revisions. What is alive is what was put
/// last and not deleted since.
struct KeyChange {
  ByteView key;
  std::int64_t revision = 0; ///< What Kubernetes calls resourceVersion.
  bool deleted = false;
  ByteView value; ///< Empty where it was deleted.
};

/// Views are valid during the call. An error ends the walk and is passed on.
using OnChange = std::function<Status(const KeyChange&)>;

} // namespace rb::datastore
