#include "restore/proof/drill.hpp"

#include <algorithm>

namespace rb::proof {

using set::BackupSet;

namespace {

/// The first thing that is wrong; that of a file before that of the set.
std::string message_of(const set::SetReport& report) {
  const auto bad =
      std::find_if(report.files.begin(), report.files.end(), [&](const set::FileReport& file) {
        return file.code == report.code && !file.message.empty();
      });
  if (bad != report.files.end()) {
    const bool named = bad->message.find(bad->name) != std::string::npos;
    return named ? bad->message : bad->name + ": " + bad->message;
  }
  return report.problems.empty() ? std::string() : report.problems.front();
}

bool snapshot_is_proven(const set::SetReport& report) {
  return std::any_of(report.files.begin(), report.files.end(), [](const set::FileReport& file) {
    return file.type == api::ArtifactType::etcd_snapshot && file.code == ExitCode::done;
  });
}

} // namespace

set::DrillRecord judge(const BackupSet& set,
                       const set::SetReport& report,
                       SystemTime now,
                       std::chrono::milliseconds duration) {
  set::DrillRecord record;
  record.run_id = set.run_id;
  record.time = now;
  record.duration = duration;
  record.code = report.code;
  record.size_bytes = set.size_bytes;
  if (record.code != ExitCode::done) {
    record.message = message_of(report);
  }
  // The check found them equal to the manifest.
  if (set.manifest && set.manifest->snapshot && snapshot_is_proven(report)) {
    record.etcd_revision = set.manifest->snapshot->revision;
    record.etcd_total_keys = set.manifest->snapshot->total_keys;
  }
  for (const set::FileReport& file : report.files) {
    record.files.push_back({file.type, file.name, file.code, file.message});
  }
  return record;
}

set::DrillRecord
not_begun(const std::string& run_id, ExitCode code, const Error& error, SystemTime now) {
  set::DrillRecord record;
  record.run_id = run_id;
  record.time = now;
  record.code = code;
  record.message = error.message;
  return record;
}

} // namespace rb::proof
