#include "restore/proof/record.hpp"

#include "set/backup_log.hpp"
#include "set/names.hpp"
#include "set/writer.hpp"

#include <nlohmann/json.hpp>

namespace rb::proof {

namespace {

using Json = nlohmann::ordered_json;

Json to_json(const BootRecord& boot) {
  return {{"result", result_word(boot.code)},
          {"exitCode", static_cast<int>(boot.code)},
          {"message", boot.message},
          {"durationMilliseconds", boot.duration.count()},
          {"objects", boot.objects},
          {"peakMemoryBytes", boot.peak_memory_bytes}};
}

Json to_json(const FileRecord& file) {
  return {{"type", api::to_string(file.type)},
          {"fileName", file.name},
          {"exitCode", static_cast<int>(file.code)},
          {"message", file.message}};
}

set::LogLine log_line(const Record& record) {
  set::LogLine line;
  line.time = record.time;
  line.action = "drill";
  line.result = result_word(record.code);
  line.run_id = record.run_id;
  line.fields.emplace_back("code", std::to_string(static_cast<int>(record.code)));
  line.fields.emplace_back("milliseconds", std::to_string(record.duration.count()));
  if (record.etcd_revision != 0) {
    line.fields.emplace_back("etcd_revision", std::to_string(record.etcd_revision));
    line.fields.emplace_back("etcd_total_keys", std::to_string(record.etcd_total_keys));
  }
  if (record.boot) {
    line.fields.emplace_back("boot", result_word(record.boot->code));
  }
  line.message = record.message;
  return line;
}

} // namespace

std::string_view result_word(ExitCode code) {
  switch (code) {
  case ExitCode::done:
    return "Passed";
  case ExitCode::incomplete:
    return "Incomplete";
  case ExitCode::nothing_to_restore:
    return "NothingToRestore";
  case ExitCode::no_identity:
    return "NoIdentity";
  case ExitCode::damaged:
    return "Damaged";
  case ExitCode::failed:
  case ExitCode::usage:
  case ExitCode::busy:
  case ExitCode::unreachable:
  case ExitCode::deadline_passed:
    return "Failed";
  }
  return "Failed";
}

std::string serialize(const Record& record) {
  Json json{{"schema", k_record_schema},
            {"runID", record.run_id},
            {"time", format_rfc3339(record.time)},
            {"result", result_word(record.code)},
            {"exitCode", static_cast<int>(record.code)},
            {"message", record.message},
            {"durationMilliseconds", record.duration.count()},
            {"sizeBytes", record.size_bytes},
            {"etcdRevision", record.etcd_revision},
            {"etcdTotalKeys", record.etcd_total_keys},
            {"files", Json::array()},
            {"boot", nullptr}};
  for (const FileRecord& file : record.files) {
    json["files"].push_back(to_json(file));
  }
  if (record.boot) {
    json["boot"] = to_json(*record.boot);
  }
  return json.dump(2, ' ', true, Json::error_handler_t::replace) + "\n";
}

Status store(set::Directory& directory, const Record& record) {
  const std::string name(set::k_last_drill_name);
  const std::string text = serialize(record);
  Status replaced = set::replace_file(directory, name, as_bytes(text));
  if (!replaced && replaced.error().code == ErrorCode::not_found) {
    // A backup that began just now has swept our .part file away.
    replaced = set::replace_file(directory, name, as_bytes(text));
  }
  RB_TRY(replaced);
  return set::append_log(directory, log_line(record));
}

} // namespace rb::proof
