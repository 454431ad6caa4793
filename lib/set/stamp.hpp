// `.last-backup`: the newest complete backup in a form that a shell can read. It is replaced in
// one step and only after everything else of the run is durable.
#pragma once

#include "set/manifest.hpp"

namespace rb::set {

struct Stamp {
  std::string run_id;
  SystemTime time{};              ///< Completion of the run.
  std::int64_t etcd_revision = 0; ///< 0: no etcd artifact.
  std::int64_t etcd_total_keys = 0;
  std::uint64_t size_bytes = 0; ///< Of all artifacts.
  /// By type: SHA-256 of the encrypted file, hex.
  std::vector<api::ArtifactStatus> artifacts;

  bool operator==(const Stamp&) const = default;
};

[[nodiscard]] Stamp make_stamp(const Manifest& manifest);

/// Lines "key=value" without quoting: run_id, time, etcd_revision, etcd_total_keys,
/// size_bytes, and for each artifact file_<type>, bytes_<type>, sha256_<type>.
[[nodiscard]] std::string serialize(const Stamp& stamp);

/// Unknown keys are skipped. Errors: corrupt.
[[nodiscard]] Result<Stamp> parse_stamp(std::string_view text);

/// With its signature (artifact/signed_files). Errors: those of write_signed_file.
[[nodiscard]] Status
write_stamp(Directory& directory, const Stamp& stamp, const sign::SigningKey& key);

/// Errors: not_found (no complete backup yet), corrupt, those of Fs.
[[nodiscard]] Result<Stamp> read_stamp(Directory& directory);

} // namespace rb::set
