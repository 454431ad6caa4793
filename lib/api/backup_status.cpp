#include "api/backup_status.hpp"

#include "api/json_fields.hpp"
#include "base/json_fields.hpp"

#include <nlohmann/json.hpp>

namespace rb::api {

namespace {

// The maxLength of crds/.
constexpr std::size_t k_release_message_limit = 512;

Error malformed(std::string_view what) {
  return {ErrorCode::corrupt,
          std::string(what) + ": not of the form of " + "backup.railiance.io/v1alpha1",
          {}};
}

} // namespace

nlohmann::json to_json(const std::vector<ArtifactStatus>& artifacts) {
  nlohmann::json list = nlohmann::json::array();
  for (const ArtifactStatus& artifact : artifacts) {
    list.push_back({{"type", to_string(artifact.type)},
                    {"fileName", artifact.file_name},
                    {"sizeBytes", artifact.size_bytes},
                    {"sha256", artifact.sha256}});
  }
  return list;
}

std::string MissingArtifact::reason_word() const {
  return newer_reason.empty() ? std::string(to_string(reason)) : newer_reason;
}

nlohmann::json to_json(const std::vector<MissingArtifact>& missing) {
  nlohmann::json list = nlohmann::json::array();
  for (const MissingArtifact& item : missing) {
    list.push_back({{"type", to_string(item.type)},
                    {"reason", item.reason_word()},
                    {"message", bounded(item.message, k_message_limit)}});
  }
  return list;
}

nlohmann::json to_json(const EtcdStatus& etcd) {
  return {{"revision", etcd.revision}, {"totalKeys", etcd.total_keys}};
}

nlohmann::json to_json(const HelmStatus& helm) {
  nlohmann::json undecodable = nlohmann::json::array();
  for (const UndecodableRelease& release : helm.undecodable) {
    if (undecodable.size() == k_undecodable_limit) {
      break;
    }
    undecodable.push_back({{"namespace", release.name_space},
                           {"storageObject", release.storage_object},
                           {"message", bounded(release.message, k_release_message_limit)}});
  }
  return {{"releases", helm.releases},
          {"undecodable", undecodable},
          {"undecodableTotal", helm.undecodable_total}};
}

Result<std::vector<ArtifactStatus>> artifacts_from_json(const nlohmann::json& json) {
  std::vector<ArtifactStatus> artifacts;
  try {
    for (const auto& item : json) {
      const auto type = parse_artifact_type(item.at("type").get<std::string>());
      if (!type) {
        continue;
      }
      ArtifactStatus artifact;
      artifact.type = *type;
      artifact.file_name = item.at("fileName").get<std::string>();
      artifact.size_bytes = json_integer<std::uint64_t>(item.at("sizeBytes"));
      artifact.sha256 = item.at("sha256").get<std::string>();
      artifacts.push_back(std::move(artifact));
    }
  } catch (const nlohmann::json::exception&) {
    return malformed("artifacts");
  }
  return artifacts;
}

Result<std::vector<MissingArtifact>> missing_from_json(const nlohmann::json& json) {
  std::vector<MissingArtifact> missing;
  try {
    for (const auto& item : json) {
      const auto type = parse_artifact_type(item.at("type").get<std::string>());
      if (!type) {
        continue;
      }
      MissingArtifact entry;
      entry.type = *type;
      auto word = item.at("reason").get<std::string>();
      if (const auto reason = parse_reason(word)) {
        entry.reason = *reason;
      } else {
        entry.newer_reason = std::move(word);
      }
      entry.message = item.value("message", "");
      missing.push_back(std::move(entry));
    }
  } catch (const nlohmann::json::exception&) {
    return malformed("missing");
  }
  return missing;
}

Result<EtcdStatus> etcd_from_json(const nlohmann::json& json) {
  try {
    return EtcdStatus{json_integer<std::int64_t>(json.at("revision")),
                      json_integer<std::int64_t>(json.at("totalKeys"))};
  } catch (const nlohmann::json::exception&) {
    return malformed("etcd");
  }
}

Result<HelmStatus> helm_from_json(const nlohmann::json& json) {
  HelmStatus helm;
  try {
    helm.releases = json_integer<std::int64_t>(json.at("releases"));
    helm.undecodable_total = json_integer_or(json, "undecodableTotal", std::int64_t{0});
    for (const auto& item : json.value("undecodable", nlohmann::json::array())) {
      helm.undecodable.push_back({item.value("namespace", ""),
                                  item.value("storageObject", ""),
                                  item.value("message", "")});
    }
  } catch (const nlohmann::json::exception&) {
    return malformed("helm");
  }
  return helm;
}

} // namespace rb::api
