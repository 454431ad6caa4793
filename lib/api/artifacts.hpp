// The artifacts of a backup set: their names, and what is said of those that are stored and those
// that are missing. Shared by ClusterBackup, NodeBackup and the manifest on the disk.
#pragma once

#include "api/reason.hpp"
#include "base/json_fields.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rb::api {

/// What a cluster's datastore is, where a copy of it can be taken.
enum class DatastoreKind { etcd, sqlite };

/// "etcd", "SQLite".
[[nodiscard]] std::span<const Word<DatastoreKind>> words_of(DatastoreKind);

enum class ArtifactType { datastore, helm_values, kubeconfig, host_state };

inline constexpr std::array<ArtifactType, 4> k_all_artifacts{ArtifactType::datastore,
                                                             ArtifactType::helm_values,
                                                             ArtifactType::kubeconfig,
                                                             ArtifactType::host_state};

/// "Datastore", "HelmValues", "Kubeconfig", "HostState". "EtcdSnapshot" means the datastore, too.
[[nodiscard]] std::span<const Word<ArtifactType>> words_of(ArtifactType);

/// Errors: invalid_argument.
[[nodiscard]] Result<ArtifactType> parse_artifact_type(std::string_view text);

/// "etcd-<run_id>.snap.age" or "sqlite-<run_id>.db.age", "helm-values-<run_id>.tar.gz.age",
/// "kubeconfig-<run_id>.yaml.age", "host-state-<run_id>.tar.gz.age".
[[nodiscard]] std::string
file_name(ArtifactType type, std::string_view run_id, DatastoreKind kind = DatastoreKind::etcd);

/// What a file of the datastore holds, by its name.
[[nodiscard]] DatastoreKind kind_of_file(std::string_view file_name);

/// The word of an artifact that is there: as to_string(), but "EtcdSnapshot" where it is one, as
/// releases that know no other datastore read it.
[[nodiscard]] std::string_view stored_word(ArtifactType type, DatastoreKind kind);

struct ArtifactStatus {
  ArtifactType type = ArtifactType::datastore;
  std::string file_name;
  std::uint64_t size_bytes = 0; ///< Of the encrypted file.
  std::string sha256;           ///< Of the encrypted file, lower-case hex.

  bool operator==(const ArtifactStatus&) const = default;
};

/// An artifact that was asked for and is not there.
struct MissingArtifact {
  ArtifactType type = ArtifactType::datastore;
  Reason reason = Reason::internal_error;
  std::string message;
  std::string newer_reason{}; ///< The word as it was read, where this release does not know it.

  /// What is written and shown.
  [[nodiscard]] std::string reason_word() const;

  bool operator==(const MissingArtifact&) const = default;
};

/// What the copy of the datastore holds.
struct EtcdStatus {
  std::int64_t revision = 0;
  std::int64_t total_keys = 0; ///< Live keys, as `etcdutl snapshot status` counts them since 3.6.
  DatastoreKind kind = DatastoreKind::etcd; ///< Not written where it is etcd.

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

/// What a run left on the disk, as agent and controller say it.
struct RunResults {
  std::vector<ArtifactStatus> artifacts;
  std::vector<MissingArtifact> missing;
  std::optional<EtcdStatus> etcd;
  std::string signing_key; ///< Public key of the host that signs the manifest, "RW…".
};

// The fields in JSON. Words that only a newer release knows make nothing unreadable: a reason is
// kept and written again as it was, an artifact is passed over.
void fields(JsonFields& json, ArtifactStatus& artifact);
void fields(JsonFields& json, MissingArtifact& missing);
void fields(JsonFields& json, EtcdStatus& etcd);
void fields(JsonFields& json, HelmStatus& helm);
void fields(JsonFields& json, RunResults& results);

[[nodiscard]] nlohmann::json to_json(const std::vector<ArtifactStatus>& artifacts);
[[nodiscard]] nlohmann::json to_json(const std::vector<MissingArtifact>& missing);
[[nodiscard]] nlohmann::json to_json(const HelmStatus& helm);

// Errors: corrupt.
[[nodiscard]] Result<std::vector<ArtifactStatus>> artifacts_from_json(const nlohmann::json& json);
[[nodiscard]] Result<std::vector<MissingArtifact>> missing_from_json(const nlohmann::json& json);
[[nodiscard]] Result<HelmStatus> helm_from_json(const nlohmann::json& json);

/// Of a condition and of a missing artifact: the maxLength of crds/.
inline constexpr std::size_t k_message_limit = 1024;

/// `text`, cut to `limit` bytes with "..." at the end, never inside a UTF-8 sequence.
[[nodiscard]] std::string bounded(const std::string& text, std::size_t limit);

} // namespace rb::api
