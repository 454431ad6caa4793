// The manifest of a backup set: what was asked for, what is there with size and digest, what is
// missing and why, and what no backup of this kind covers. Written last, so a set without one is
// not complete. Schema: docs/artifact-format.md.
#pragma once

#include "set/directory.hpp"

#include "api/artifacts.hpp"
#include "api/servers.hpp"
#include "base/clock.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rb::set {

inline constexpr std::string_view k_manifest_schema = "railiance.io/manifest/v1";

/// The largest manifest that is read.
inline constexpr std::size_t k_manifest_limit_bytes = 4U << 20U;

/// What the datastore artifact holds, once decrypted.
struct SnapshotRecord {
  api::DatastoreKind kind = api::DatastoreKind::etcd; ///< Not written where it is etcd.
  std::string name;                                   ///< As k3s named it, or as k3s would have.
  std::uint64_t size_bytes = 0; ///< Of the plaintext, the trailer of etcd included.
  std::string file_sha256;      ///< Of the plaintext, hex.
  std::string content_sha256;   ///< Without the trailer of etcd: equal to it, hex.
  std::int64_t revision = 0;
  std::int64_t total_keys = 0;                  ///< Live keys; of etcd as etcdutl >= 3.6.
  std::uint32_t hash = 0;                       ///< As `etcdutl snapshot status`; of SQLite 0.
  std::string storage_version;                  ///< Of etcd "3.6.0", of SQLite "3.46.1", or empty.
  std::map<std::string, std::uint64_t> objects; ///< Live keys below /registry by kind.
  std::vector<std::string> bootstrap_hashes;    ///< Of the keys /bootstrap/<hash>.

  bool operator==(const SnapshotRecord&) const = default;
};

/// What came of booting a server from the snapshot, where that was asked for
/// (spec.verification: Boot). Figures of a proof that failed are 0.
struct ProofRecord {
  api::Reason reason = api::Reason::proof_failed; ///< completed: proven.
  std::string message;                            ///< Why not; empty when proven.
  std::uint64_t objects = 0;                      ///< Served, and as in the snapshot.
  std::uint64_t kinds = 0;
  std::uint64_t milliseconds = 0;
  std::uint64_t peak_memory_bytes = 0;

  [[nodiscard]] bool proven() const { return reason == api::Reason::completed; }
  bool operator==(const ProofRecord&) const = default;
};

/// The manifest that was the newest when another one was written.
struct ManifestLink {
  std::string run_id;
  std::string sha256; ///< Of the manifest's file, hex.

  bool operator==(const ManifestLink&) const = default;
};

/// Of a set that was given new recipients (set/rewrap.hpp): what its manifest stands in place of.
struct RewrapRecord {
  unsigned generation = 1; ///< How often; its files bear it in their names (set/names.hpp).
  SystemTime time{};       ///< Of the last time.
  /// SHA-256 of the files of the manifests before it, in hex, oldest first: what other manifests
  /// may name it by.
  std::vector<std::string> replaces;
  /// The set was not signed before: the host vouches for it since then, and it is no link of the
  /// chain.
  bool adopted = false;

  bool operator==(const RewrapRecord&) const = default;
};

struct Manifest {
  std::string run_id;
  bool complete = false; ///< Everything that was asked for is stored and was read back.
  SystemTime start_time{};
  SystemTime completion_time{};
  std::string generator;           ///< "railiance-backup 0.1.0"
  std::string cluster_backup_name; ///< May be empty.
  std::string cluster_backup_uid;  ///< May be empty.
  std::string node_name;
  std::string node_address; ///< Node IP, or empty.
  std::string k3s_version;  ///< "v1.34.4+k3s1", or empty.
  std::string token_hash; ///< First 12 hex of sha256(password part of the server token), or empty.
  /// The servers of the cluster when the run was ordered, this one among them; empty where it was
  /// the only one. Their keys count as docs/decisions/0034 says.
  std::vector<api::ServerEntry> servers;
  std::size_t odd_servers = 0; ///< Entries that were passed over. Never written.
  std::string cluster_ca;      ///< SHA-256 of server-ca.crt, in hex; empty: not known (older sets).
  std::vector<std::string> recipients; ///< age recipients (public keys), as used.
  std::string
      recipient_rule;  ///< The rule of .sops.yaml that gave them (age::RecipientRule), or empty.
  bool manual = false; ///< No schedule asked for it. Older sets: false.
  std::vector<api::ArtifactType> requested;
  std::vector<api::ArtifactStatus> artifacts;
  std::vector<api::MissingArtifact> missing;
  std::optional<SnapshotRecord> snapshot; ///< Present when the datastore artifact is.
  std::optional<api::HelmStatus> helm;    ///< Present when the Helm artifact is.
  std::optional<ProofRecord> proof;       ///< Present when the run was to be proven.
  std::optional<RewrapRecord> rewrap;     ///< Present when it has not its first recipients.
  /// The id of the host key that signs this manifest (sign::to_string); empty: it is not signed,
  /// and the three fields below are not written.
  std::string signed_by;
  std::optional<ManifestLink> previous; ///< Absent for the first one of a directory.
  /// All other sets of this host that stay after this run, oldest first: what the next look at the
  /// directory must find.
  std::vector<ManifestLink> catalogue;
  /// Names of files beside the sets (set/signed_files.hpp) that have a signature of this host, or
  /// will have one when they come to be there.
  std::vector<std::string> signed_files;
  /// File names of artifacts that only a newer release knows: they are neither checked nor removed.
  /// Never written.
  std::vector<std::string> unknown_files;
  std::vector<std::string> not_covered; ///< Sentences; default_not_covered() unless changed.

  [[nodiscard]] unsigned generation() const { return rewrap ? rewrap->generation : 0; }
  /// The name of its own file.
  [[nodiscard]] std::string file_name() const;
  /// They and no others open it, in any order.
  [[nodiscard]] bool is_for_just(const std::vector<std::string>& public_keys) const;
  /// The artifact of that type, or null.
  [[nodiscard]] const api::ArtifactStatus* find(api::ArtifactType type) const;
  /// Complete, and proven where that was asked for: what retention, stamp and kit count on.
  [[nodiscard]] bool is_good() const { return complete && (!proof || proof->proven()); }
  bool operator==(const Manifest&) const = default;
};

/// What a set never holds: data of volumes, container images, and so on.
[[nodiscard]] std::vector<std::string> default_not_covered();

/// Indented JSON with a final newline; the same manifest gives the same bytes.
[[nodiscard]] std::string serialize(const Manifest& manifest);

/// Strict where it matters: schema, run id, digests of 64 hex digits, file names that belong to
/// that run id. Unknown fields are skipped, and so are words that only a newer release knows.
/// Errors: corrupt, unsupported (another schema; hint: a newer railiance-restore).
[[nodiscard]] Result<Manifest> parse_manifest(std::string_view text);

/// The bytes of the manifest's file. Errors: not_found, corrupt (too large), those of Fs.
[[nodiscard]] Result<std::string>
read_manifest_text(Directory& directory, std::string_view run_id, unsigned generation);

/// parse_manifest; it must be of that run and generation. Errors: corrupt, unsupported.
[[nodiscard]] Result<Manifest>
parse_manifest_of(std::string_view run_id, unsigned generation, std::string_view text);

/// The generation of that run that counts: the highest one that has a manifest. Nothing: the run
/// has none.
[[nodiscard]] std::optional<unsigned> current_generation(const std::vector<DirectoryEntry>& entries,
                                                         std::string_view run_id);

/// The manifest of that run that counts. Errors: not_found, corrupt, unsupported, those of Fs.
[[nodiscard]] Result<Manifest> read_manifest(Directory& directory, std::string_view run_id);

} // namespace rb::set
