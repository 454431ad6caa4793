// What is said of a run's results: shared by ClusterBackup, NodeBackup and (in spirit) the
// manifest on the disk.
#pragma once

#include "api/artifact_type.hpp"
#include "api/reason.hpp"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <vector>

namespace rb::api {

struct ArtifactStatus {
  ArtifactType type = ArtifactType::etcd_snapshot;
  std::string file_name;
  std::uint64_t size_bytes = 0; ///< Of the encrypted file.
  std::string sha256;           ///< Of the encrypted file, lower-case hex.

  bool operator==(const ArtifactStatus&) const = default;
};

/// An artifact that was asked for and is not there.
struct MissingArtifact {
  ArtifactType type = ArtifactType::etcd_snapshot;
  Reason reason = Reason::internal_error;
  std::string message;
  std::string newer_reason{}; ///< The word as it was read, where this release does not know it.

  /// What is written and shown.
  [[nodiscard]] std::string reason_word() const;

  bool operator==(const MissingArtifact&) const = default;
};

struct EtcdStatus {
  std::int64_t revision = 0;
  std::int64_t total_keys = 0; ///< Live keys, as `etcdutl snapshot status` counts them since 3.6.

  bool operator==(const EtcdStatus&) const = default;
};

struct UndecodableRelease {
  std::string name_space;
  std::string storage_object; ///< "secret/sh.helm.release.v1.app.v3"
  std::string message;

  bool operator==(const UndecodableRelease&) const = default;
};

struct HelmStatus {
  std::int64_t releases = 0; ///< In the artifact.
  /// At most k_undecodable_limit are listed; `undecodable_total` counts all.
  std::vector<UndecodableRelease> undecodable;
  std::int64_t undecodable_total = 0;

  bool operator==(const HelmStatus&) const = default;
};

inline constexpr std::size_t k_undecodable_limit = 50;

[[nodiscard]] nlohmann::json to_json(const std::vector<ArtifactStatus>& artifacts);
[[nodiscard]] nlohmann::json to_json(const std::vector<MissingArtifact>& missing);
[[nodiscard]] nlohmann::json to_json(const EtcdStatus& etcd);
[[nodiscard]] nlohmann::json to_json(const HelmStatus& helm);

// Each takes what its to_json made, from a document of ours or of the API server. Words
// that only a newer release knows make nothing unreadable: a reason is kept and written again as it
// was, an artifact is passed over. Errors: corrupt.
[[nodiscard]] Result<std::vector<ArtifactStatus>> artifacts_from_json(const nlohmann::json& json);
[[nodiscard]] Result<std::vector<MissingArtifact>> missing_from_json(const nlohmann::json& json);
[[nodiscard]] Result<EtcdStatus> etcd_from_json(const nlohmann::json& json);
[[nodiscard]] Result<HelmStatus> helm_from_json(const nlohmann::json& json);

} // namespace rb::api
