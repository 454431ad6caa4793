// What a drill leaves behind: `.last-drill` for programs, a line in backup.log for people. Schema:
// docs/artifact-format.md.
#pragma once

#include "set/directory.hpp"

#include "api/artifacts.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rb::proof {

inline constexpr std::string_view k_record_schema = "railiance.io/last-drill/v1";

struct FileRecord {
  api::ArtifactType type = api::ArtifactType::etcd_snapshot;
  std::string name;
  ExitCode code = ExitCode::done;
  std::string message; ///< Empty when the file is good.
};

/// Of a drill that booted a server from the set (`drill --boot`).
struct BootRecord {
  ExitCode code = ExitCode::done;
  std::string message; ///< Empty when it went well.
  std::chrono::milliseconds duration{0};
  std::uint64_t objects = 0;           ///< Compared with the snapshot.
  std::uint64_t peak_memory_bytes = 0; ///< Of the scratch server.
};

struct Record {
  std::string run_id; ///< Empty when there was no set.
  SystemTime time{};  ///< End of the drill.
  std::chrono::milliseconds duration{0};
  ExitCode code = ExitCode::done; ///< That of the command; also that of a boot.
  std::string message;            ///< What is wrong, in a line; empty when all is well.
  std::uint64_t size_bytes = 0;   ///< Of the files of the set.
  std::int64_t etcd_revision = 0; ///< As found, equal to the manifest; 0: not proven.
  std::int64_t etcd_total_keys = 0;
  std::vector<FileRecord> files;
  std::optional<BootRecord> boot;
};

/// "Passed", "Incomplete", "NothingToRestore", "NoIdentity", "Damaged"; "Failed" for the rest.
[[nodiscard]] std::string_view result_word(ExitCode code);

/// Indented JSON with a final newline.
[[nodiscard]] std::string serialize(const Record& record);

/// Replaces `.last-drill` in one durable step and appends to backup.log. Takes no lock, so it never
/// keeps a backup from beginning. Errors: those of replace_file and append_log.
[[nodiscard]] Status store(set::Directory& directory, const Record& record);

} // namespace rb::proof
