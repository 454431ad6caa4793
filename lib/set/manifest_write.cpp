#include "set/manifest.hpp"

#include <nlohmann/json.hpp>

namespace rb::set {

namespace {

using OrderedJson = nlohmann::ordered_json;

OrderedJson snapshot_json(const SnapshotRecord& snapshot) {
  OrderedJson json;
  json["name"] = snapshot.name;
  json["sizeBytes"] = snapshot.size_bytes;
  json["sha256"] = snapshot.file_sha256;
  json["contentSHA256"] = snapshot.content_sha256;
  json["revision"] = snapshot.revision;
  json["totalKeys"] = snapshot.total_keys;
  json["hash"] = snapshot.hash;
  json["storageVersion"] = snapshot.storage_version;
  json["bootstrapHashes"] = snapshot.bootstrap_hashes;
  json["objects"] = snapshot.objects;
  return json;
}

OrderedJson proof_json(const ProofRecord& proof) {
  OrderedJson json;
  json["result"] = api::to_string(proof.reason);
  json["message"] = proof.message;
  json["objects"] = proof.objects;
  json["kinds"] = proof.kinds;
  json["milliseconds"] = proof.milliseconds;
  json["peakMemoryBytes"] = proof.peak_memory_bytes;
  return json;
}

OrderedJson link_json(const ManifestLink& link) {
  return {{"runID", link.run_id}, {"sha256", link.sha256}};
}

OrderedJson types_json(const std::vector<api::ArtifactType>& types) {
  OrderedJson list = OrderedJson::array();
  for (const api::ArtifactType type : types) {
    list.push_back(api::to_string(type));
  }
  return list;
}

} // namespace

std::string serialize(const Manifest& manifest) {
  OrderedJson json;
  json["schema"] = k_manifest_schema;
  json["runID"] = manifest.run_id;
  json["complete"] = manifest.complete;
  json["startTime"] = format_rfc3339(manifest.start_time);
  json["completionTime"] = format_rfc3339(manifest.completion_time);
  json["generator"] = manifest.generator;
  json["clusterBackup"] = {{"name", manifest.cluster_backup_name},
                           {"uid", manifest.cluster_backup_uid}};
  json["node"] = {{"name", manifest.node_name}, {"address", manifest.node_address}};
  json["k3s"] = {{"version", manifest.k3s_version}, {"tokenHash", manifest.token_hash}};
  if (!manifest.cluster_ca.empty()) {
    json["k3s"]["clusterCA"] = manifest.cluster_ca;
  }
  json["recipients"] = manifest.recipients;
  if (!manifest.recipient_rule.empty()) {
    json["recipientRule"] = manifest.recipient_rule;
  }
  if (manifest.manual) {
    json["trigger"] = "Manual";
  }
  json["requested"] = types_json(manifest.requested);
  json["artifacts"] = OrderedJson(api::to_json(manifest.artifacts));
  json["missing"] = OrderedJson(api::to_json(manifest.missing));
  if (manifest.snapshot) {
    json["snapshot"] = snapshot_json(*manifest.snapshot);
  }
  if (manifest.helm) {
    json["helm"] = OrderedJson(api::to_json(*manifest.helm));
  }
  if (manifest.proof) {
    json["proof"] = proof_json(*manifest.proof);
  }
  if (!manifest.signed_by.empty()) {
    json["signedBy"] = manifest.signed_by;
    if (manifest.previous) {
      json["previous"] = link_json(*manifest.previous);
    }
    json["catalogue"] = OrderedJson::array();
    for (const ManifestLink& link : manifest.catalogue) {
      json["catalogue"].push_back(link_json(link));
    }
    if (!manifest.signed_files.empty()) {
      json["signedFiles"] = manifest.signed_files;
    }
  }
  json["notCovered"] = manifest.not_covered;
  return json.dump(2, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

} // namespace rb::set
