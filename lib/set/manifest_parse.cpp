#include "set/manifest.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace rb::set {

namespace {

using Json = nlohmann::json;

Error malformed(std::string what) {
  return {ErrorCode::corrupt, "not a manifest: " + std::move(what), {}};
}

bool is_sha256(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

template <typename Number> Result<Number> number_at(const Json& json, const char* key) {
  const Json& value = json.at(key);
  if (value.is_number_unsigned() && std::in_range<Number>(value.get<std::uint64_t>())) {
    return static_cast<Number>(value.get<std::uint64_t>());
  }
  return malformed(std::string(key) + " is not a number that fits");
}

Result<std::map<std::string, std::uint64_t>> counts_from(const Json& json) {
  std::map<std::string, std::uint64_t> counts;
  for (const auto& [kind, value] : json.items()) {
    RB_TRY_ASSIGN(counts[kind], number_at<std::uint64_t>(json, kind.c_str()));
  }
  return counts;
}

Result<SnapshotRecord> snapshot_from(const Json& json) {
  SnapshotRecord snapshot;
  snapshot.name = json.value("name", "");
  RB_TRY_ASSIGN(snapshot.size_bytes, number_at<std::uint64_t>(json, "sizeBytes"));
  snapshot.file_sha256 = json.at("sha256").get<std::string>();
  snapshot.content_sha256 = json.at("contentSHA256").get<std::string>();
  RB_TRY_ASSIGN(snapshot.revision, number_at<std::int64_t>(json, "revision"));
  RB_TRY_ASSIGN(snapshot.total_keys, number_at<std::int64_t>(json, "totalKeys"));
  RB_TRY_ASSIGN(snapshot.hash, number_at<std::uint32_t>(json, "hash"));
  snapshot.storage_version = json.value("storageVersion", "");
  snapshot.bootstrap_hashes = json.value("bootstrapHashes", std::vector<std::string>{});
  RB_TRY_ASSIGN(snapshot.objects, counts_from(json.value("objects", Json::object())));
  if (!is_sha256(snapshot.file_sha256) || !is_sha256(snapshot.content_sha256)) {
    return malformed("a digest of the snapshot");
  }
  return snapshot;
}

/// A result that only a newer release knows is no proof, and must not make the set unreadable.
Result<ProofRecord> proof_from(const Json& json) {
  ProofRecord proof;
  const auto word = json.at("result").get<std::string>();
  proof.message = json.value("message", "");
  if (auto reason = api::parse_reason(word)) {
    proof.reason = *reason;
  } else {
    proof.message = word + ": " + proof.message;
  }
  RB_TRY_ASSIGN(proof.objects, number_at<std::uint64_t>(json, "objects"));
  RB_TRY_ASSIGN(proof.kinds, number_at<std::uint64_t>(json, "kinds"));
  RB_TRY_ASSIGN(proof.milliseconds, number_at<std::uint64_t>(json, "milliseconds"));
  RB_TRY_ASSIGN(proof.peak_memory_bytes, number_at<std::uint64_t>(json, "peakMemoryBytes"));
  return proof;
}

/// Those that this release knows.
std::vector<api::ArtifactType> types_from(const Json& json) {
  std::vector<api::ArtifactType> types;
  for (const Json& item : json) {
    if (const auto type = api::parse_artifact_type(item.get<std::string>())) {
      types.push_back(*type);
    }
  }
  return types;
}

std::vector<std::string> unknown_files(const Json& artifacts) {
  std::vector<std::string> names;
  for (const Json& item : artifacts) {
    if (!api::parse_artifact_type(item.at("type").get<std::string>())) {
      names.push_back(item.at("fileName").get<std::string>());
    }
  }
  return names;
}

Result<ManifestLink> link_from(const Json& json) {
  ManifestLink link{json.at("runID").get<std::string>(), json.at("sha256").get<std::string>()};
  if (!parse_run_id(link.run_id) || !is_sha256(link.sha256)) {
    return malformed("what it says of another manifest");
  }
  return link;
}

/// Who signed, and which other sets there were.
Status read_catalogue(const Json& json, Manifest& manifest) {
  manifest.signed_by = json.value("signedBy", "");
  if (manifest.signed_by.empty()) {
    return {};
  }
  if (manifest.signed_by.size() != 16 ||
      manifest.signed_by.find_first_not_of("0123456789ABCDEF") != std::string::npos) {
    return malformed("the id of its signing key");
  }
  if (json.contains("previous")) {
    RB_TRY_ASSIGN(manifest.previous, link_from(json.at("previous")));
  }
  for (const Json& item : json.value("catalogue", Json::array())) {
    RB_TRY_ASSIGN(ManifestLink link, link_from(item));
    manifest.catalogue.push_back(std::move(link));
  }
  manifest.signed_files = json.value("signedFiles", std::vector<std::string>{});
  return {};
}

/// The rules that go across fields.
Status check(const Manifest& manifest) {
  if (!parse_run_id(manifest.run_id)) {
    return malformed("its run id");
  }
  std::vector<api::ArtifactType> present;
  for (const api::ArtifactStatus& artifact : manifest.artifacts) {
    if (artifact.file_name != api::file_name(artifact.type, manifest.run_id)) {
      return malformed("a file name that does not belong to run " + manifest.run_id);
    }
    if (!is_sha256(artifact.sha256)) {
      return malformed("the digest of " + artifact.file_name);
    }
    if (std::find(present.begin(), present.end(), artifact.type) != present.end()) {
      return malformed("it has " + artifact.file_name + " twice");
    }
    present.push_back(artifact.type);
  }
  const bool all_there = std::all_of(
      manifest.requested.begin(), manifest.requested.end(), [&](api::ArtifactType type) {
        return std::find(present.begin(), present.end(), type) != present.end();
      });
  const bool nothing = present.empty() && manifest.unknown_files.empty();
  if (manifest.complete && (!all_there || !manifest.missing.empty() || nothing)) {
    return malformed("it calls itself complete and is not");
  }
  return {};
}

Result<Json> list_at(const Json& json, const char* key) {
  const Json& list = json.at(key);
  return list.is_array() ? Result<Json>(list) : malformed(std::string(key) + " is not a list");
}

/// Numbers of a manifest are integers; a conversion of any other would not be defined.
bool has_fraction(std::string_view text, Json& json) {
  bool found = false;
  json = Json::parse(text, [&](int /*depth*/, Json::parse_event_t event, Json& value) {
    found = found || (event == Json::parse_event_t::value && value.is_number_float());
    return true;
  });
  return found;
}

Result<SystemTime> time_at(const Json& json, const char* key) {
  return parse_rfc3339(json.at(key).get<std::string>());
}

Result<Manifest> manifest_from(const Json& json) {
  Manifest manifest;
  manifest.run_id = json.at("runID").get<std::string>();
  manifest.complete = json.at("complete").get<bool>();
  RB_TRY_ASSIGN(manifest.start_time, time_at(json, "startTime"));
  RB_TRY_ASSIGN(manifest.completion_time, time_at(json, "completionTime"));
  manifest.generator = json.value("generator", "");
  const Json nothing = Json::object();
  const Json owner = json.value("clusterBackup", nothing);
  manifest.cluster_backup_name = owner.value("name", "");
  manifest.cluster_backup_uid = owner.value("uid", "");
  const Json node = json.value("node", nothing);
  manifest.node_name = node.value("name", "");
  manifest.node_address = node.value("address", "");
  const Json k3s = json.value("k3s", nothing);
  manifest.k3s_version = k3s.value("version", "");
  manifest.token_hash = k3s.value("tokenHash", "");
  manifest.cluster_ca = k3s.value("clusterCA", "");
  manifest.recipients = json.value("recipients", std::vector<std::string>{});
  manifest.recipient_rule = json.value("recipientRule", "");
  RB_TRY_ASSIGN(const Json requested, list_at(json, "requested"));
  manifest.requested = types_from(requested);
  manifest.manual = json.value("trigger", "") == "Manual";
  RB_TRY_ASSIGN(const Json artifacts, list_at(json, "artifacts"));
  RB_TRY_ASSIGN(manifest.artifacts, api::artifacts_from_json(artifacts));
  manifest.unknown_files = unknown_files(artifacts);
  RB_TRY_ASSIGN(const Json missing, list_at(json, "missing"));
  RB_TRY_ASSIGN(manifest.missing, api::missing_from_json(missing));
  if (json.contains("snapshot")) {
    RB_TRY_ASSIGN(manifest.snapshot, snapshot_from(json.at("snapshot")));
  }
  if (json.contains("helm")) {
    RB_TRY_ASSIGN(manifest.helm, api::helm_from_json(json.at("helm")));
  }
  if (json.contains("proof")) {
    RB_TRY_ASSIGN(manifest.proof, proof_from(json.at("proof")));
  }
  RB_TRY(read_catalogue(json, manifest));
  manifest.not_covered = json.value("notCovered", std::vector<std::string>{});
  RB_TRY(check(manifest));
  return manifest;
}

} // namespace

Result<Manifest> parse_manifest(std::string_view text) {
  try {
    Json json;
    if (has_fraction(text, json)) {
      return malformed("a number with a fraction");
    }
    const auto schema = json.at("schema").get<std::string>();
    if (schema != k_manifest_schema) {
      return Error{ErrorCode::unsupported,
                   "manifest of the schema " + schema.substr(0, 64),
                   "use the railiance-restore that made it, or a newer one"};
    }
    auto manifest = manifest_from(json);
    if (!manifest && manifest.error().code != ErrorCode::corrupt) {
      return malformed(manifest.error().message);
    }
    return manifest;
  } catch (const Json::exception& error) {
    // Not error.what(): it quotes the text.
    return malformed("json error " + std::to_string(error.id));
  }
}

} // namespace rb::set
