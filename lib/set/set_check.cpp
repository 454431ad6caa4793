#include "set/set_check.hpp"

#include "set/names.hpp"

namespace rb::set {

namespace {

std::vector<FileTask> tasks_of(const BackupSet& set) {
  std::vector<FileTask> tasks;
  if (set.manifest) {
    for (const api::ArtifactStatus& artifact : set.manifest->artifacts) {
      tasks.push_back({artifact.type, artifact.file_name, artifact, &*set.manifest});
    }
    return tasks;
  }
  for (const set::SetFile& file : set.files) {
    if (const auto info = set::classify_name(file.name); info.type) {
      tasks.push_back({*info.type, file.name, {}, nullptr});
    }
  }
  return tasks;
}

ExitCode code_of(SetState state) {
  switch (state) {
  case SetState::complete:
    return ExitCode::done;
  case SetState::incomplete:
    return ExitCode::incomplete;
  case SetState::damaged:
    return ExitCode::damaged;
  }
  return ExitCode::failed;
}

int rank(ExitCode code) {
  switch (code) {
  case ExitCode::done:
    return 0;
  case ExitCode::incomplete:
    return 1;
  case ExitCode::no_identity:
    return 3;
  case ExitCode::damaged:
    return 4;
  case ExitCode::failed:
  case ExitCode::usage:
  case ExitCode::nothing_to_restore:
  case ExitCode::busy:
  case ExitCode::unreachable:
  case ExitCode::deadline_passed:
    return 2;
  }
  return 2;
}

} // namespace

ExitCode worse(ExitCode left, ExitCode right) {
  return rank(left) >= rank(right) ? left : right;
}

SetReport check_set(set::Directory& directory,
                    const BackupSet& set,
                    std::span<const age::Identity> identities,
                    const CheckHooks& hooks) {
  SetReport report{set.run_id, set.state, set.problems, {}, {}, code_of(set.state)};
  for (const FileTask& task : tasks_of(set)) {
    report.files.push_back(check_file(directory, task, identities, hooks));
    report.code = worse(report.code, report.files.back().code);
    if (hooks.on_file) {
      hooks.on_file(report.files.back());
    }
  }
  return report;
}

} // namespace rb::set
