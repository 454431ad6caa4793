#include "cases/cases.hpp"
#include "cases/helm_lines.hpp"

#include "helm/payload.hpp"

#include <nlohmann/json.hpp>

#include <map>

namespace rb::cases {

namespace {

using Json = nlohmann::json;

struct Collected {
  std::vector<helm::Release> releases;
  std::vector<api::UndecodableRelease> undecodable;
};

Collected collect(const Json& items) {
  Collected collected;
  for (const Json& item : items) {
    const Json& metadata = item.at("metadata");
    helm::StoredRelease stored;
    stored.name_space = metadata.at("namespace").get<std::string>();
    stored.object_name = metadata.at("name").get<std::string>();
    stored.labels = metadata.value("labels", std::map<std::string, std::string>{});
    auto release = helm::decode_release(stored, item.at("data").at("release").get<std::string>());
    if (release) {
      collected.releases.push_back(std::move(*release));
    } else {
      collected.undecodable.push_back(helm::undecodable(stored, release.error()));
    }
  }
  return collected;
}

} // namespace

Verdict check_helm(const std::filesystem::path& file) {
  const Json document = Json::parse(contents_of(file));
  Collected collected =
      collect(document.contains("items") ? document.at("items") : Json::array({document}));
  const std::size_t given = collected.releases.size() + collected.undecodable.size();
  const auto payload =
      helm::build_payload(std::move(collected.releases), std::move(collected.undecodable), {});
  if (!payload) {
    return {false, payload.error().message};
  }
  const HelmLines lines = helm_lines(*payload);
  if (!lines.wrong.empty()) {
    return {false, lines.wrong};
  }
  const auto odd = payload->status.undecodable.size();
  return {static_cast<std::size_t>(payload->status.releases) + odd == given,
          std::to_string(payload->status.releases) + " releases, " + std::to_string(odd) +
              " odd, " + std::to_string(lines.commands) + " commands, " +
              std::to_string(lines.comments) + " comments"};
}

} // namespace rb::cases
