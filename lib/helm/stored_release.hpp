// What the metadata of Helm's storage objects says, without their data: which object holds the
// newest revision of each release. Pure.
#pragma once

#include "api/artifacts.hpp"
#include "api/release_owner.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rb::helm {

/// Helm's storage drivers that live in the cluster. The SQL driver (PostgreSQL) is out of sight.
enum class StorageKind { secret, config_map };

/// "secret", "configmap".
[[nodiscard]] std::string_view to_string(StorageKind kind);

/// One object of type helm.sh/release.v1 (Secret), or labelled owner=helm (ConfigMap).
struct StoredRelease {
  std::string name_space;
  std::string object_name; ///< "sh.helm.release.v1.<name>.v<revision>"
  StorageKind kind = StorageKind::secret;
  std::map<std::string, std::string> labels; ///< name, version, status, owner, …
  /// Of its ownerReferences: the object that an operator installs the release for.
  std::optional<api::ReleaseOwner> controller = {};

  /// "secret/sh.helm.release.v1.app.v3", as in api::UndecodableRelease.
  [[nodiscard]] std::string storage_object() const;
};

/// Who a stored object is, as `helm get values NAME -n NAMESPACE` finds it: by the namespace that
/// it lies in and the label `name`; what a label doesn't say comes from the object's name.
struct ReleaseKey {
  std::string name_space;
  std::string name;
  std::int64_t revision = 0; ///< 1 and up.

  bool operator==(const ReleaseKey&) const = default;
};

/// Errors: incomplete (neither labels nor object name tell name and revision).
[[nodiscard]] Result<ReleaseKey> release_key(const StoredRelease& stored);

/// What has to be read. One for each (namespace, name, storage kind): the highest revision whatever
/// its status, as `helm get values` takes it; sorted by namespace, name, kind. Of equal revisions
/// (which Helm never makes: somebody copied the object) that with the name that Helm gives, else
/// with the smallest one. Then every object that does not tell which release it is: it is kept,
/// never dropped.
[[nodiscard]] std::vector<StoredRelease> newest_revisions(std::vector<StoredRelease> stored);

} // namespace rb::helm
