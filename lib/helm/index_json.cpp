#include "helm/index_json.hpp"

#include <nlohmann/json.hpp>

namespace rb::helm {

namespace {

using Json = nlohmann::ordered_json;

Json to_json(const IndexedRelease& item) {
  const Release& release = *item.release;
  Json json{
      {"namespace", release.key.name_space},
      {"name", release.key.name},
      {"revision", release.key.revision},
      {"status", release.status},
      {"chart", {{"name", release.chart_name}, {"version", release.chart_version}}},
      {"appVersion", release.app_version},
      {"updated", release.last_deployed},
      {"firstDeployed", release.first_deployed},
  };
  if (!release.deleted.empty()) {
    json["deleted"] = release.deleted;
  }
  json["file"] = item.file;
  json["hasValues"] = release.has_values;
  json["storage"] = release.storage_object;
  const ReleaseKey& recorded = release.recorded;
  if (recorded.name_space != release.key.name_space || recorded.name != release.key.name ||
      recorded.revision != release.key.revision) {
    json["recordedAs"] = {{"namespace", recorded.name_space},
                          {"name", recorded.name},
                          {"revision", recorded.revision}};
  }
  if (release.owner) {
    json["owner"] = {{"kind", release.owner->kind},
                     {"namespace", release.owner->name_space},
                     {"name", release.owner->name}};
  }
  return json;
}

} // namespace

std::string index_json(std::span<const IndexedRelease> releases,
                       std::span<const api::UndecodableRelease> undecodable,
                       SystemTime collected_at) {
  Json listed = Json::array();
  for (const IndexedRelease& item : releases) {
    listed.push_back(to_json(item));
  }
  Json failed = Json::array();
  for (const api::UndecodableRelease& item : undecodable) {
    failed.push_back({{"namespace", item.name_space},
                      {"storage", item.storage_object},
                      {"message", item.message}});
  }
  const Json index{
      {"format", "railiance-backup/helm-values/v1"},
      {"collectedAt", format_rfc3339(collected_at)},
      {"releases", std::move(listed)},
      {"undecodable", std::move(failed)},
  };
  return index.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace rb::helm
