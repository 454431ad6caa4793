// Reads the API's list of Helm's storage objects (SecretList or ConfigMapList, or both in one List)
// from stdin and writes the Helm artifact (tar.gz) to stdout, as the controller does between the
// two. The Go test beside it drives it.
#include "helm/artifact.hpp"

#include <nlohmann/json.hpp>

#include <iostream>
#include <map>
#include <string>

using namespace rb;

namespace {

helm::StoredRelease stored_release(const nlohmann::json& object) {
  const auto& meta = object.at("metadata");
  return {.name_space = meta.at("namespace"),
          .object_name = meta.at("name"),
          .kind = object.value("kind", "Secret") == "ConfigMap" ? helm::StorageKind::config_map
                                                                : helm::StorageKind::secret,
          .labels = meta.at("labels")};
}

} // namespace

int main() {
  const auto list = nlohmann::json::parse(std::cin);
  std::vector<helm::StoredRelease> stored;
  std::map<std::string, std::string> data;
  for (const auto& object : list.at("items")) {
    stored.push_back(stored_release(object));
    data[stored.back().name_space + "/" + stored.back().storage_object()] =
        object.at("data").at("release");
  }
  helm::Collector collector;
  for (const helm::StoredRelease& object : helm::newest_revisions(std::move(stored))) {
    collector.add(object, data.at(object.name_space + "/" + object.storage_object()));
  }
  const auto payload = helm::build_payload(std::move(collector).take(), {});
  if (!payload) {
    std::cerr << payload.error().message << "\n";
    return 1;
  }
  std::cout << payload->tar_gz.text() << std::flush;
  return 0;
}
