#include "restore/set_check.hpp"

#include "restore/text.hpp"

#include "artifact/names.hpp"
#include "base/text_table.hpp"

#include <nlohmann/json.hpp>

namespace rb::restore {

using artifact::BackupSet;
using artifact::SetState;

namespace {

std::vector<FileTask> tasks_of(const BackupSet& set) {
  std::vector<FileTask> tasks;
  if (set.manifest) {
    for (const api::ArtifactStatus& artifact : set.manifest->artifacts) {
      tasks.push_back({artifact.type, artifact.file_name, artifact, {}});
      if (artifact.type == api::ArtifactType::etcd_snapshot) {
        tasks.back().snapshot = set.manifest->snapshot;
      }
    }
    return tasks;
  }
  for (const artifact::SetFile& file : set.files) {
    if (const auto info = artifact::classify_name(file.name); info.type) {
      tasks.push_back({*info.type, file.name, {}, {}});
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

std::string word_of(ExitCode code) {
  switch (code) {
  case ExitCode::done:
    return "ok";
  case ExitCode::damaged:
    return "DAMAGED";
  case ExitCode::no_identity:
    return "NOT OPENED";
  case ExitCode::incomplete:
    return "INCOMPLETE";
  case ExitCode::failed:
  case ExitCode::usage:
  case ExitCode::nothing_to_restore:
  case ExitCode::busy:
  case ExitCode::unreachable:
  case ExitCode::deadline_passed:
    return "FAILED";
  }
  return "FAILED";
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    text += (text.empty() ? "" : ", ") + word;
  }
  return text;
}

} // namespace

ExitCode worse(ExitCode left, ExitCode right) {
  return rank(left) >= rank(right) ? left : right;
}

SetReport check_set(artifact::Directory& directory,
                    const BackupSet& set,
                    std::span<const age::Identity> identities,
                    const std::stop_token& stop) {
  SetReport report{set.run_id, set.state, set.problems, {}, code_of(set.state)};
  for (const FileTask& task : tasks_of(set)) {
    report.files.push_back(check_file(directory, task, identities, stop));
    report.code = worse(report.code, report.files.back().code);
  }
  return report;
}

std::string to_text(const SetReport& report) {
  std::string text = report.run_id + ": " + word_of(report.code) + " (" +
                     std::string(artifact::to_string(report.state)) + ")\n";
  std::vector<std::vector<std::string>> rows;
  for (const FileReport& file : report.files) {
    rows.push_back({"  " + word_of(file.code),
                    file.name,
                    file.message.empty() ? joined(file.proven) : harmless(file.message)});
  }
  text += text_table(rows);
  for (const std::string& problem : report.problems) {
    text += "  - " + harmless(problem) + "\n";
  }
  return text;
}

nlohmann::ordered_json to_json(const SetReport& report) {
  nlohmann::ordered_json json;
  json["runID"] = report.run_id;
  json["state"] = artifact::to_string(report.state);
  json["exitCode"] = static_cast<int>(report.code);
  json["problems"] = report.problems;
  json["files"] = nlohmann::ordered_json::array();
  for (const FileReport& file : report.files) {
    json["files"].push_back({{"type", api::to_string(file.type)},
                             {"name", file.name},
                             {"exitCode", static_cast<int>(file.code)},
                             {"message", file.message},
                             {"proven", file.proven}});
  }
  return json;
}

} // namespace rb::restore
