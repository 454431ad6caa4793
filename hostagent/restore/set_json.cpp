#include "restore/set_json.hpp"

namespace rb::restore {

using Json = nlohmann::ordered_json;

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

void put_latest(const set::Latest& latest, Json& json) {
  json["latest"] = latest.set == nullptr ? Json() : Json(latest.set->run_id);
  json["passedOver"] = Json::array();
  for (const set::PassedOver& each : latest.passed_over) {
    json["passedOver"].push_back({{"runID", each.set->run_id}, {"why", each.why}});
  }
}

std::string dump(const Json& json) {
  return json.dump(2, ' ', true, Json::error_handler_t::replace) + "\n";
}

} // namespace rb::restore
