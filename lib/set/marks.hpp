// The marks of a backup directory: `.last-backup`, the newest complete backup in a form that a
// shell can read; `.last-drill`, what came of the last drill; `.last-verify`, what came of the last
// check of all sets; `.last-restore`, which set the cluster was last restored from. Each is
// replaced in one durable step. Schemas: docs/artifact-format.md.
#pragma once

#include "set/manifest.hpp"

#include "api/reason.hpp"
#include "base/error.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rb::set {

/// `.last-backup` of a run: lines "key=value" without quoting: run_id, time, etcd_revision,
/// etcd_total_keys, size_bytes, and for each artifact file_<type>, bytes_<type>, sha256_<type>.
/// Written by write_stamp (signed_write.hpp), after everything else of the run is durable.
[[nodiscard]] std::string stamp_text(const Manifest& manifest);

struct DrillFile {
  api::ArtifactType type = api::ArtifactType::datastore;
  std::string name;
  ExitCode code = ExitCode::done;
  std::string message; ///< Empty when the file is good.
};

/// Of a drill that booted a server from the set (`drill --boot`).
struct DrillBoot {
  ExitCode code = ExitCode::done;
  std::string message; ///< Empty when it went well.
  std::chrono::milliseconds duration{0};
  std::uint64_t objects = 0;           ///< Compared with the snapshot.
  std::uint64_t peak_memory_bytes = 0; ///< Of the scratch server.
};

/// Of a scratch server that was not booted: ProofUnavailable where it could not be tried on this
/// host (no memory, no disk, no k3s that fits, not root), which says nothing of the set; else
/// ProofFailed.
[[nodiscard]] api::Reason reason_not_proven(const Error& error);

/// What a drill leaves behind: `.last-drill` for programs, a line in backup.log for people.
struct DrillRecord {
  std::string run_id; ///< Empty when there was no set.
  SystemTime time{};  ///< End of the drill.
  std::chrono::milliseconds duration{0};
  ExitCode code = ExitCode::done; ///< That of the command; also that of a boot.
  std::string message;            ///< What is wrong, in a line; empty when all is well.
  std::uint64_t size_bytes = 0;   ///< Of the files of the set.
  std::int64_t etcd_revision = 0; ///< As found, equal to the manifest; 0: not proven.
  std::int64_t etcd_total_keys = 0;
  std::vector<DrillFile> files;
  std::optional<DrillBoot> boot;
};

/// "Passed", "Incomplete", "NothingToRestore", "NoIdentity", "Damaged"; "Failed" for the rest.
[[nodiscard]] std::string_view result_word(ExitCode code);

/// Indented JSON with a final newline.
[[nodiscard]] std::string serialize(const DrillRecord& record);

/// Replaces `.last-drill` and appends to backup.log. Takes no lock, so it never keeps a backup from
/// beginning. Errors: those of replace_file and append_log.
[[nodiscard]] Status store_drill(Directory& directory, const DrillRecord& record);

/// The line in backup.log alone: of a drill that says nothing of the sets.
[[nodiscard]] Status log_drill(Directory& directory, const DrillRecord& record);

/// `.last-drill` as those read it who only want to know when a drill was and what came of it.
struct LastDrill {
  std::string run_id; ///< Empty when there was no set.
  SystemTime time{};  ///< End of the drill.
  std::string result; ///< As result_word().
  std::string message;
  std::chrono::milliseconds duration{0};
  bool booted = false; ///< A server was booted from the set.

  bool operator==(const LastDrill&) const = default;
};

/// Unknown fields are skipped. Errors: corrupt, unsupported (another schema).
[[nodiscard]] Result<LastDrill> parse_last_drill(std::string_view text);

/// Nothing when there was no drill. Errors: corrupt, unsupported, those of Fs.
[[nodiscard]] Result<std::optional<LastDrill>> read_last_drill(Directory& directory);

/// What `verify --all --record` leaves behind: `.last-verify` for programs, a line in backup.log
/// for people.
struct LastVerify {
  SystemTime time{};   ///< End of the check.
  std::string result;  ///< As result_word(); "Incomplete": all that was stored is good.
  std::string message; ///< What is wrong, in a line; empty when all is well.
  std::int64_t sets = 0;
  std::int64_t incomplete_sets = 0;
  std::int64_t bad_sets = 0; ///< Damaged, not the host's, or not opened by the key that was given.
  std::int64_t duration_milliseconds = 0;
  bool with_key = false; ///< They were opened; else their digests were compared.

  bool operator==(const LastVerify&) const = default;
};

/// Replaces `.last-verify` and appends to backup.log, without a lock, as store_drill.
[[nodiscard]] Status store_verify(Directory& directory, const LastVerify& verify);

/// Unknown fields are skipped. Errors: corrupt, unsupported (another schema).
[[nodiscard]] Result<LastVerify> parse_last_verify(std::string_view text);

/// Nothing when all sets were never checked so. Errors: corrupt, unsupported, those of Fs.
[[nodiscard]] Result<std::optional<LastVerify>> read_last_verify(Directory& directory);

/// Retention keeps that set, and the agent and the operator can tell after what the cluster's state
/// goes back in time.
struct LastRestore {
  std::string run_id; ///< Of the set that was restored.
  SystemTime time{};  ///< When the restore ended.

  bool operator==(const LastRestore&) const = default;
};

/// Unknown fields are skipped. Errors: corrupt, unsupported (another schema).
[[nodiscard]] Result<LastRestore> parse_last_restore(std::string_view text);

/// Only whoever restores calls it, one at a time; the DirectoryLock may be a backup's. Errors:
/// invalid_argument (not a run id), those of replace_file.
[[nodiscard]] Status
write_last_restore(Directory& directory, std::string_view run_id, SystemTime now);

/// Nothing when no set was ever restored. Errors: corrupt, unsupported, those of Fs.
[[nodiscard]] Result<std::optional<LastRestore>> read_last_restore(Directory& directory);

} // namespace rb::set
