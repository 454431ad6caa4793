#include "set/marks.hpp"

#include "set/backup_log.hpp"
#include "set/names.hpp"

#include "base/json_fields.hpp"
#include "base/json_member.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace rb::set {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view k_drill_schema = "railiance.io/last-drill/v1";
constexpr std::string_view k_verify_schema = "railiance.io/last-verify/v1";
constexpr std::string_view k_restore_schema = "railiance.io/last-restore/v1";
constexpr std::size_t k_drill_limit_bytes = 256U << 10U;
constexpr std::size_t k_verify_limit_bytes = 64U << 10U;
constexpr std::size_t k_restore_limit_bytes = 4U << 10U;

/// What a mark of that name is not, and what writes it anew.
Error malformed(std::string_view name, std::string_view what, std::string_view remedy) {
  return {ErrorCode::corrupt, std::string(name) + ": " + std::string(what), std::string(remedy)};
}

Error not_a_drill(std::string_view what) {
  return malformed(k_last_drill_name, what, "the next railiance-restore drill writes it anew");
}

Error not_a_restore(std::string_view what) {
  return malformed(k_last_restore_name,
                   what,
                   "write it again with railiance-restore restore --execute, or remove it");
}

Error not_a_verify(std::string_view what) {
  return malformed(
      k_last_verify_name, what, "the next railiance-restore verify --all --record writes it anew");
}

Error unknown_schema(std::string_view name) {
  return {ErrorCode::unsupported,
          std::string(name) + ": unknown schema",
          "a newer railiance-restore wrote it; use that one"};
}

template <typename Mark>
Result<std::optional<Mark>> read_mark(Directory& directory,
                                      std::string_view name,
                                      std::size_t limit_bytes,
                                      Result<Mark> (*parse)(std::string_view)) {
  auto file = directory.fs().open_read(std::string(name));
  if (!file) {
    if (file.error().code == ErrorCode::not_found) {
      return std::optional<Mark>{};
    }
    return std::move(file).error();
  }
  Bytes buffer(limit_bytes);
  RB_TRY_ASSIGN(const std::size_t got, (*file)->read(buffer));
  RB_TRY_ASSIGN(Mark mark, parse(as_text(ByteView(buffer).first(got))));
  return std::optional<Mark>(std::move(mark));
}

/// Part of a shell variable's name.
std::string_view key_of(const api::ArtifactStatus& artifact) {
  switch (artifact.type) {
  case api::ArtifactType::datastore:
    return api::kind_of_file(artifact.file_name) == api::DatastoreKind::etcd ? "etcd_snapshot"
                                                                             : "datastore";
  case api::ArtifactType::helm_values:
    return "helm_values";
  case api::ArtifactType::kubeconfig:
    return "kubeconfig";
  case api::ArtifactType::host_state:
    return "host_state";
  }
  return "";
}

void put(std::string& text, std::string_view key, std::string_view value) {
  text.append(key).append("=").append(value).append("\n");
}

Json to_json(const DrillBoot& boot) {
  return {{"result", result_word(boot.code)},
          {"exitCode", static_cast<int>(boot.code)},
          {"message", boot.message},
          {"durationMilliseconds", boot.duration.count()},
          {"objects", boot.objects},
          {"peakMemoryBytes", boot.peak_memory_bytes}};
}

Json to_json(const DrillFile& file) {
  return {{"type", api::to_string(file.type)},
          {"fileName", file.name},
          {"exitCode", static_cast<int>(file.code)},
          {"message", file.message}};
}

LogLine log_line(const DrillRecord& record) {
  LogLine line;
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

LogLine log_line(const LastVerify& verify) {
  LogLine line;
  line.time = verify.time;
  line.action = "verify";
  line.result = verify.result;
  line.fields.emplace_back("sets", std::to_string(verify.sets));
  line.fields.emplace_back("incomplete", std::to_string(verify.incomplete_sets));
  line.fields.emplace_back("bad", std::to_string(verify.bad_sets));
  line.fields.emplace_back("milliseconds", std::to_string(verify.duration_milliseconds));
  line.message = verify.message;
  return line;
}

/// Of a mark and its line in backup.log.
Status store_mark(Directory& directory,
                  std::string_view name,
                  const std::string& text,
                  const LogLine& line) {
  Status replaced = replace_file(directory, std::string(name), as_bytes(text));
  if (!replaced && replaced.error().code == ErrorCode::not_found) {
    // A backup that began just now has swept our .part file away.
    replaced = replace_file(directory, std::string(name), as_bytes(text));
  }
  RB_TRY(replaced);
  return append_log(directory, line);
}

Result<LastDrill> drill_from(const nlohmann::json& json) {
  if (json.at("schema").get<std::string>() != k_drill_schema) {
    return unknown_schema(k_last_drill_name);
  }
  LastDrill drill;
  drill.run_id = json.value("runID", "");
  drill.result = json.at("result").get<std::string>();
  drill.message = json.value("message", "");
  drill.duration =
      std::chrono::milliseconds(json_integer_or(json, "durationMilliseconds", std::int64_t{0}));
  const auto boot = json.find("boot");
  drill.booted =
      boot != json.end() && boot->is_object() && json_integer_or(*boot, "exitCode", -1) == 0;
  const auto time = parse_rfc3339(json.at("time").get<std::string>());
  if (!time) {
    return not_a_drill("time is not a time");
  }
  drill.time = *time;
  return drill;
}

} // namespace

api::Reason reason_not_proven(const Error& error) {
  constexpr std::array k_of_this_host{ErrorCode::permission_denied,
                                      ErrorCode::no_space,
                                      ErrorCode::not_found,
                                      ErrorCode::unsupported};
  const bool tried = error.reason != api::Reason::proof_unavailable &&
                     std::ranges::find(k_of_this_host, error.code) == k_of_this_host.end();
  return tried ? api::Reason::proof_failed : api::Reason::proof_unavailable;
}

std::string stamp_text(const Manifest& manifest) {
  const SnapshotRecord snapshot = manifest.snapshot.value_or(SnapshotRecord{});
  std::uint64_t size_bytes = 0;
  for (const api::ArtifactStatus& artifact : manifest.artifacts) {
    size_bytes += artifact.size_bytes;
  }
  std::string text;
  put(text, "run_id", manifest.run_id);
  put(text, "time", format_rfc3339(manifest.completion_time));
  put(text, "etcd_revision", std::to_string(snapshot.revision));
  put(text, "etcd_total_keys", std::to_string(snapshot.total_keys));
  put(text, "size_bytes", std::to_string(size_bytes));
  for (const api::ArtifactStatus& artifact : manifest.artifacts) {
    const std::string key(key_of(artifact));
    put(text, "file_" + key, artifact.file_name);
    put(text, "bytes_" + key, std::to_string(artifact.size_bytes));
    put(text, "sha256_" + key, artifact.sha256);
  }
  return text;
}

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

std::string serialize(const DrillRecord& record) {
  Json json{{"schema", k_drill_schema},
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
  for (const DrillFile& file : record.files) {
    json["files"].push_back(to_json(file));
  }
  if (record.boot) {
    json["boot"] = to_json(*record.boot);
  }
  return json.dump(2, ' ', true, Json::error_handler_t::replace) + "\n";
}

Status store_drill(Directory& directory, const DrillRecord& record) {
  return store_mark(directory, k_last_drill_name, serialize(record), log_line(record));
}

Status log_drill(Directory& directory, const DrillRecord& record) {
  return append_log(directory, log_line(record));
}

Result<LastDrill> parse_last_drill(std::string_view text) {
  const auto json = json_of(text);
  if (!json.is_object()) {
    return not_a_drill("not a JSON object");
  }
  try {
    return drill_from(json);
  } catch (const nlohmann::json::exception&) {
    return not_a_drill("a field is missing or has the wrong type");
  }
}

Result<std::optional<LastDrill>> read_last_drill(Directory& directory) {
  return read_mark(directory, k_last_drill_name, k_drill_limit_bytes, parse_last_drill);
}

static void fields(JsonFields& json, LastVerify& verify) {
  std::string schema(k_verify_schema);
  json.required("schema", schema);
  if (schema != k_verify_schema) {
    json.fail(unknown_schema(k_last_verify_name));
  }
  json.required("time", verify.time);
  json.required("result", verify.result);
  json.always("message", verify.message);
  json.always("sets", verify.sets);
  json.always("incompleteSets", verify.incomplete_sets);
  json.always("badSets", verify.bad_sets);
  json.always("durationMilliseconds", verify.duration_milliseconds);
  json.always("withKey", verify.with_key);
}

Status store_verify(Directory& directory, const LastVerify& verify) {
  const std::string text =
      to_json_fields(verify).dump(2, ' ', true, Json::error_handler_t::replace) + "\n";
  return store_mark(directory, k_last_verify_name, text, log_line(verify));
}

Result<LastVerify> parse_last_verify(std::string_view text) {
  auto verify = from_json_fields<LastVerify>(json_of(text));
  if (!verify && verify.error().code != ErrorCode::unsupported) {
    return not_a_verify(verify.error().message);
  }
  return verify;
}

Result<std::optional<LastVerify>> read_last_verify(Directory& directory) {
  return read_mark(directory, k_last_verify_name, k_verify_limit_bytes, parse_last_verify);
}

Result<LastRestore> parse_last_restore(std::string_view text) {
  const auto json = json_of(text);
  const auto word = [&json](const char* key) { return json_text(json, key); };
  if (!json.is_object()) {
    return not_a_restore("not a JSON object");
  }
  if (word("schema") != k_restore_schema) {
    return unknown_schema(k_last_restore_name);
  }
  LastRestore restore;
  restore.run_id = word("runID");
  if (!parse_run_id(restore.run_id)) {
    return not_a_restore("runID is not a run id");
  }
  const auto time = parse_rfc3339(word("time"));
  if (!time) {
    return not_a_restore("time is not a time");
  }
  restore.time = *time;
  return restore;
}

Status write_last_restore(Directory& directory, std::string_view run_id, SystemTime now) {
  if (!parse_run_id(run_id)) {
    return Error{ErrorCode::invalid_argument, "not a run id: " + std::string(run_id), {}};
  }
  const Json json{{"schema", k_restore_schema}, {"runID", run_id}, {"time", format_rfc3339(now)}};
  return replace_file(directory, std::string(k_last_restore_name), as_bytes(json.dump() + "\n"));
}

Result<std::optional<LastRestore>> read_last_restore(Directory& directory) {
  return read_mark(directory, k_last_restore_name, k_restore_limit_bytes, parse_last_restore);
}

} // namespace rb::set
