#include "restore/set_output.hpp"

#include "terminal/format.hpp"
#include "terminal/terminal_text.hpp"

#include <algorithm>

namespace rb::restore {

using set::FileReport;
using set::SetReport;
using Json = nlohmann::ordered_json;

namespace {

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

std::string odd_text(const FileReport& file) {
  constexpr std::size_t k_shown = 10;
  std::string text;
  for (std::size_t i = 0; i < std::min(file.odd.size(), k_shown); ++i) {
    text += "  - odd: " + file.name + ": " + terminal_text(file.odd[i]) + "\n";
  }
  if (file.odd_total > k_shown) {
    text += "  - odd: " + file.name + ": " + std::to_string(file.odd_total - k_shown) + " more\n";
  }
  return text;
}

} // namespace

Json to_json(const set::BackupSet& set) {
  Json json;
  json["runID"] = set.run_id;
  json["time"] = format_rfc3339(set.time);
  json["state"] = set::to_string(set.state);
  json["sizeBytes"] = set.size_bytes;
  json["problems"] = set.problems;
  json["files"] = Json::array();
  for (const set::SetFile& file : set.files) {
    json["files"].push_back({{"name", file.name}, {"sizeBytes", file.size_bytes}});
  }
  // The manifest as it would be written: its fields are documented and stable.
  json["manifest"] = set.manifest ? Json::parse(set::serialize(*set.manifest)) : Json();
  return json;
}

Json passed_over_to_json(const set::Latest& latest) {
  Json list = Json::array();
  for (const set::PassedOver& each : latest.passed_over) {
    list.push_back({{"runID", each.set->run_id}, {"why", each.why}});
  }
  return list;
}

void put_latest(const set::Latest& latest, Json& json) {
  json["latest"] = latest.set == nullptr ? Json() : Json(latest.set->run_id);
  json["passedOver"] = passed_over_to_json(latest);
}

std::string dump(const Json& json) {
  return json.dump(2, ' ', true, Json::error_handler_t::replace) + "\n";
}

std::string proof_word(const set::BackupSet& set) {
  if (!set.manifest || !set.manifest->proof) {
    return "-";
  }
  const set::ProofRecord& proof = *set.manifest->proof;
  return proof.proven() ? "yes" : proof.reason == api::Reason::proof_failed ? "FAILED" : "no";
}

std::string to_text(const SetReport& report) {
  std::string text = report.run_id + ": " + word_of(report.code) + " (" +
                     std::string(set::to_string(report.state)) + ")\n";
  std::vector<std::vector<std::string>> rows;
  for (const FileReport& file : report.files) {
    rows.push_back({"  " + word_of(file.code),
                    file.name,
                    file.message.empty() ? joined(file.proven) : terminal_text(file.message)});
  }
  text += text_table(rows);
  if (!report.signature.empty()) {
    text += "  signature: " + report.signature + "\n";
  }
  for (const std::string& problem : report.problems) {
    text += "  - " + terminal_text(problem) + "\n";
  }
  for (const FileReport& file : report.files) {
    text += odd_text(file);
  }
  return text;
}

Json to_json(const SetReport& report) {
  Json json;
  json["runID"] = report.run_id;
  json["state"] = set::to_string(report.state);
  json["exitCode"] = static_cast<int>(report.code);
  json["problems"] = report.problems;
  json["files"] = Json::array();
  for (const FileReport& file : report.files) {
    json["files"].push_back({{"type", api::to_string(file.type)},
                             {"name", file.name},
                             {"exitCode", static_cast<int>(file.code)},
                             {"message", file.message},
                             {"proven", file.proven},
                             {"odd", file.odd},
                             {"oddTotal", file.odd_total}});
  }
  return json;
}

std::string first_problem(const set::SetReport& report) {
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

} // namespace rb::restore
