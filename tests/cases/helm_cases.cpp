#include "cases/cases.hpp"
#include "cases/helm_lines.hpp"
#include "controller/helm_releases.hpp"

#include "helm/artifact.hpp"

#include <nlohmann/json.hpp>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace rb::cases {

namespace {

using Json = nlohmann::json;

/// What it holds under a key that may be absent or null.
Json object_in(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_object() ? *found : Json::object();
}

helm::StoredRelease stored_release(const Json& item) {
  const bool config_map = item.value("kind", "") == "ConfigMap";
  helm::StoredRelease stored = controller::stored_release(
      config_map ? helm::StorageKind::config_map : helm::StorageKind::secret, item);
  stored.name_space = stored.name_space.empty() ? "default" : stored.name_space;
  return stored;
}

/// The objects that a backup reads of them, and what it makes of these.
class Stored {
public:
  explicit Stored(const Json& items) {
    std::vector<helm::StoredRelease> all;
    for (const Json& item : items) {
      helm::StoredRelease stored = stored_release(item);
      m_data[place_of(stored.name_space, stored.storage_object())] =
          object_in(item, "data").value("release", "");
      all.push_back(std::move(stored));
    }
    m_newest = helm::newest_revisions(std::move(all));
  }

  [[nodiscard]] std::size_t count() const { return m_newest.size(); }

  /// It has bytes that can be kept.
  [[nodiscard]] bool has_data(const helm::IndexedObject& object) const {
    const auto found = m_data.find(place_of(object.name_space, object.storage_object));
    return found != m_data.end() && !found->second.empty();
  }

  [[nodiscard]] helm::Inventory collect() const {
    helm::Collector collector;
    for (const helm::StoredRelease& stored : m_newest) {
      collector.add(stored, m_data.at(place_of(stored.name_space, stored.storage_object())));
    }
    return std::move(collector).take();
  }

private:
  static std::string place_of(const std::string& name_space, const std::string& storage_object) {
    return name_space + "/" + storage_object;
  }

  std::vector<helm::StoredRelease> m_newest;
  std::map<std::string, std::string> m_data;
};

/// How many of the lines can be run, where that is what the input is about.
const std::map<std::string, std::size_t> k_commands{{"h01-flux-storage-namespace", 1},
                                                    {"h13-plus-version", 0},
                                                    {"h31-chart-name-is-a-url", 0},
                                                    {"h41-flux-target-namespace", 1},
                                                    {"h42-history-and-copy", 1},
                                                    {"h45-chart-unicode", 0},
                                                    {"h46-operator", 1},
                                                    {"h47-fleet-files", 1},
                                                    {"h48-uninstalled", 1}};

/// What the reader has to say against an artifact that was just made, or nothing.
std::string refused_by_reader(const helm::Payload& payload, const Stored& stored) {
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
  if (index.releases.size() + index.undecodable.size() != stored.count()) {
    return "not every object is in the index";
  }
  for (const helm::IndexedObject& object : index.undecodable) {
    if (object.file.empty() && stored.has_data(object)) {
      return object.storage_object + " is not kept as it was stored";
    }
  }
  return {};
}

} // namespace

Verdict check_helm(const std::filesystem::path& file) {
  const Json document = Json::parse(contents_of(file));
  const Json items = document.contains("items") ? document.at("items") : Json::array({document});
  const Stored stored(items);
  const auto payload = helm::build_payload(stored.collect(), {});
  if (!payload) {
    return {false, payload.error().message};
  }
  if (const std::string why = refused_by_reader(*payload, stored); !why.empty()) {
    return {false, why};
  }
  const HelmLines lines = helm_lines(*payload);
  if (!lines.wrong.empty()) {
    return {false, lines.wrong};
  }
  const auto odd = static_cast<std::size_t>(payload->status.undecodable_total);
  const auto expected = k_commands.find(file.stem().string());
  return {static_cast<std::size_t>(payload->status.releases) + odd == stored.count() &&
              (expected == k_commands.end() || expected->second == lines.commands),
          std::to_string(payload->status.releases) + " releases, " + std::to_string(odd) +
              " odd, " + std::to_string(lines.commands) + " commands, " +
              std::to_string(lines.comments) + " comments"};
}

} // namespace rb::cases
