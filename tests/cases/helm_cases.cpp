#include "cases/cases.hpp"
#include "cases/helm_lines.hpp"

#include "helm/artifact.hpp"

#include <nlohmann/json.hpp>

#include <map>

namespace rb::cases {

namespace {

using Json = nlohmann::json;

helm::Inventory collect(const Json& items) {
  helm::Collector collector;
  for (const Json& item : items) {
    const Json& metadata = item.at("metadata");
    helm::StoredRelease stored;
    stored.name_space = metadata.at("namespace").get<std::string>();
    stored.object_name = metadata.at("name").get<std::string>();
    stored.labels = metadata.value("labels", std::map<std::string, std::string>{});
    collector.add(stored, item.at("data").at("release").get<std::string>());
  }
  return std::move(collector).take();
}

/// What the reader has to say against an artifact that was just made, or nothing.
std::string refused_by_reader(const helm::Payload& payload, std::size_t given) {
  const auto entries = archive::read_tar_gz(payload.tar_gz.view(), helm::k_archive_limits);
  if (!entries) {
    return entries.error().message;
  }
  const auto contents = helm::check_contents(*entries);
  if (!contents) {
    return contents.error().message;
  }
  if (!contents->odd.empty()) {
    return contents->odd.front();
  }
  const helm::Index& index = contents->index;
  if (index.releases.size() + index.undecodable.size() != given) {
    return "not every object is in the index";
  }
  for (const helm::IndexedObject& object : index.undecodable) {
    if (object.file.empty()) {
      return object.storage_object + " is not kept as it was stored";
    }
  }
  return {};
}

} // namespace

Verdict check_helm(const std::filesystem::path& file) {
  const Json document = Json::parse(contents_of(file));
  const Json items = document.contains("items") ? document.at("items") : Json::array({document});
  const auto payload = helm::build_payload(collect(items), {});
  if (!payload) {
    return {false, payload.error().message};
  }
  if (const std::string why = refused_by_reader(*payload, items.size()); !why.empty()) {
    return {false, why};
  }
  const HelmLines lines = helm_lines(*payload);
  if (!lines.wrong.empty()) {
    return {false, lines.wrong};
  }
  const auto odd = payload->status.undecodable.size();
  return {static_cast<std::size_t>(payload->status.releases) + odd == items.size(),
          std::to_string(payload->status.releases) + " releases, " + std::to_string(odd) +
              " odd, " + std::to_string(lines.commands) + " commands, " +
              std::to_string(lines.comments) + " comments"};
}

} // namespace rb::cases
