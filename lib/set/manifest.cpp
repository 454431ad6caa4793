#include "set/manifest.hpp"

#include "set/names.hpp"

#include "base/json_fields.hpp"

#include <algorithm>
#include <set>

namespace rb::set {

namespace {

using Json = nlohmann::json;

Error malformed(std::string what) {
  return {ErrorCode::corrupt, "not a manifest: " + std::move(what), {}};
}

bool is_hex(std::string_view text, std::size_t digits, std::string_view alphabet) {
  return text.size() == digits && text.find_first_not_of(alphabet) == std::string_view::npos;
}

bool is_sha256(std::string_view text) {
  return is_hex(text, 64, "0123456789abcdef");
}

/// Words of a list; those that only a newer release knows are passed over.
/// Where the set holds an etcd snapshot, that is the word, as of the artifact.
void artifact_types(JsonFields& json,
                    std::string_view key,
                    std::vector<api::ArtifactType>& types,
                    const std::optional<SnapshotRecord>& snapshot) {
  const auto kind = snapshot ? snapshot->kind : api::DatastoreKind::sqlite;
  std::vector<std::string> words;
  for (const api::ArtifactType type : types) {
    words.emplace_back(api::stored_word(type, kind));
  }
  json.required(key, words);
  if (json.reading()) {
    for (const std::string& word : words) {
      if (const auto type = api::parse_artifact_type(word)) {
        types.push_back(*type);
      }
    }
  }
}

Result<std::vector<std::string>> unknown_files(const Json& artifacts) {
  std::vector<std::string> names;
  for (const Json& item : artifacts) {
    if (!api::parse_artifact_type(item.at("type").get<std::string>())) {
      const auto name = item.find("fileName");
      if (name == item.end() || !name->is_string()) {
        return malformed("an artifact without a file name");
      }
      names.push_back(name->get<std::string>());
    }
  }
  return names;
}

/// What has a form in the API.
void results(JsonFields& json, Manifest& manifest) {
  const auto write = [](const auto& value) { return api::to_json(value); };
  const auto artifacts = [&](const Json& list) -> Result<std::vector<api::ArtifactStatus>> {
    if (!list.is_array()) {
      return malformed("artifacts is not a list");
    }
    RB_TRY_ASSIGN(auto known, api::artifacts_from_json(list));
    RB_TRY_ASSIGN(manifest.unknown_files, unknown_files(list));
    return known;
  };
  const auto missing = [](const Json& list) -> Result<std::vector<api::MissingArtifact>> {
    return list.is_array() ? api::missing_from_json(list) : malformed("missing is not a list");
  };
  json.custom("artifacts", true, manifest.artifacts, artifacts, write);
  json.custom("missing", true, manifest.missing, missing, write);
}

std::string version_of(const Manifest& manifest) {
  return Version{manifest.run_id, manifest.generation()}.text();
}

/// The rules that go across fields, and those of texts and numbers.
Status check(const Manifest& manifest) {
  if (!parse_run_id(manifest.run_id)) {
    return malformed("its run id");
  }
  std::vector<api::ArtifactType> present;
  for (const api::ArtifactStatus& artifact : manifest.artifacts) {
    if (artifact.file_name != artifact_name(artifact.type,
                                            manifest.run_id,
                                            manifest.generation(),
                                            api::kind_of_file(artifact.file_name))) {
      return malformed("a file name that does not belong to run " + manifest.run_id);
    }
    if (!is_sha256(artifact.sha256)) {
      return malformed("the digest of " + artifact.file_name);
    }
    if (std::ranges::find(present, artifact.type) != present.end()) {
      return malformed("it has " + artifact.file_name + " twice");
    }
    present.push_back(artifact.type);
  }
  const bool all_there = std::ranges::all_of(manifest.requested, [&](api::ArtifactType type) {
    return std::ranges::find(present, type) != present.end();
  });
  const bool nothing = present.empty() && manifest.unknown_files.empty();
  if (manifest.complete && (!all_there || !manifest.missing.empty() || nothing)) {
    return malformed("it calls itself complete and is not");
  }
  const api::ArtifactStatus* const datastore = manifest.find(api::ArtifactType::datastore);
  if (manifest.snapshot && datastore != nullptr &&
      manifest.snapshot->kind != api::kind_of_file(datastore->file_name)) {
    return malformed("another kind of datastore than " + datastore->file_name);
  }
  if (manifest.snapshot && (!is_sha256(manifest.snapshot->file_sha256) ||
                            !is_sha256(manifest.snapshot->content_sha256) ||
                            manifest.snapshot->revision < 0 || manifest.snapshot->total_keys < 0)) {
    return malformed("a digest or a number of the snapshot");
  }
  if (!manifest.signed_by.empty() && !is_hex(manifest.signed_by, 16, "0123456789ABCDEF")) {
    return malformed("the id of its signing key");
  }
  if (manifest.rewrap && (manifest.generation() == 0 || !parse_version(version_of(manifest)) ||
                          !std::ranges::all_of(manifest.rewrap->replaces, is_sha256))) {
    return malformed("what it says of a rewrap");
  }
  const auto is_link = [](const ManifestLink& link) {
    return parse_run_id(link.run_id) && is_sha256(link.sha256);
  };
  if ((manifest.previous && !is_link(*manifest.previous)) ||
      !std::ranges::all_of(manifest.catalogue, is_link)) {
    return malformed("what it says of another manifest");
  }
  return {};
}

} // namespace

// The fields of the manifest, in the order in which they are written.

static void fields(JsonFields& json, SnapshotRecord& snapshot) {
  json.optional("kind", snapshot.kind, api::DatastoreKind::etcd);
  json.always("name", snapshot.name);
  json.required("sizeBytes", snapshot.size_bytes);
  json.required("sha256", snapshot.file_sha256);
  json.required("contentSHA256", snapshot.content_sha256);
  json.required("revision", snapshot.revision);
  json.required("totalKeys", snapshot.total_keys);
  json.required("hash", snapshot.hash);
  json.always("storageVersion", snapshot.storage_version);
  json.always("bootstrapHashes", snapshot.bootstrap_hashes);
  json.always("objects", snapshot.objects);
}

static void fields(JsonFields& json, ProofRecord& proof) {
  std::string word(api::to_string(proof.reason));
  json.required("result", word);
  json.always("message", proof.message);
  if (json.reading()) {
    // A result that only a newer release knows is no proof, and must not make the set unreadable.
    if (const auto reason = api::parse_reason(word)) {
      proof.reason = *reason;
    } else {
      proof.message = word + ": " + proof.message;
    }
  }
  json.required("objects", proof.objects);
  json.required("kinds", proof.kinds);
  json.required("milliseconds", proof.milliseconds);
  json.required("peakMemoryBytes", proof.peak_memory_bytes);
}

static void fields(JsonFields& json, ManifestLink& link) {
  json.required("runID", link.run_id);
  json.required("sha256", link.sha256);
}

static void fields(JsonFields& json, RewrapRecord& rewrap) {
  json.required("generation", rewrap.generation);
  json.required("time", rewrap.time);
  json.required("replaces", rewrap.replaces);
  json.optional("adopted", rewrap.adopted);
}

static void fields(JsonFields& json, Manifest& manifest) {
  std::string schema(k_manifest_schema);
  json.required("schema", schema);
  if (schema != k_manifest_schema) {
    json.fail({ErrorCode::unsupported,
               "manifest of the schema " + schema.substr(0, 64),
               "use the railiance-restore that made it, or a newer one"});
  }
  json.required("runID", manifest.run_id);
  json.required("complete", manifest.complete);
  json.required("startTime", manifest.start_time);
  json.required("completionTime", manifest.completion_time);
  json.always("generator", manifest.generator);
  json.object("clusterBackup", [&](JsonFields& owner) {
    owner.always("name", manifest.cluster_backup_name);
    owner.always("uid", manifest.cluster_backup_uid);
  });
  json.object("node", [&](JsonFields& node) {
    node.always("name", manifest.node_name);
    node.always("address", manifest.node_address);
  });
  api::servers_field(json, manifest.servers, manifest.odd_servers);
  json.object("k3s", [&](JsonFields& k3s) {
    k3s.always("version", manifest.k3s_version);
    k3s.always("tokenHash", manifest.token_hash);
    k3s.optional("clusterCA", manifest.cluster_ca);
  });
  json.always("recipients", manifest.recipients);
  json.optional("recipientRule", manifest.recipient_rule);
  std::string trigger(manifest.manual ? "Manual" : "");
  json.optional("trigger", trigger);
  manifest.manual = trigger == "Manual";
  artifact_types(json, "requested", manifest.requested, manifest.snapshot);
  results(json, manifest);
  json.optional("snapshot", manifest.snapshot);
  if (json.reading() || manifest.helm) {
    json.custom(
        "helm",
        false,
        manifest.helm,
        [](const Json& helm) { return api::helm_from_json(helm); },
        [](const auto& helm) { return api::to_json(*helm); });
  }
  json.optional("proof", manifest.proof);
  json.optional("rewrap", manifest.rewrap);
  json.optional("signedBy", manifest.signed_by);
  if (!manifest.signed_by.empty()) {
    json.optional("previous", manifest.previous);
    json.always("catalogue", manifest.catalogue);
    json.optional("signedFiles", manifest.signed_files);
  }
  json.always("notCovered", manifest.not_covered);
}

std::vector<std::string> default_not_covered() {
  return {"data of persistent volumes, local-path storage included",
          "container images",
          "Helm releases that are in a database instead of Secrets or ConfigMaps (HELM_DRIVER=sql)",
          "databases and other data that applications keep outside of the cluster's datastore",
          "the private age key that opens this set: keep it somewhere else",
          "nodes that are only agents: they join again with the server token"};
}

const api::ArtifactStatus* Manifest::find(api::ArtifactType type) const {
  const auto found = std::ranges::find(artifacts, type, &api::ArtifactStatus::type);
  return found == artifacts.end() ? nullptr : &*found;
}

bool Manifest::is_for_just(const std::vector<std::string>& public_keys) const {
  const std::set<std::string> wanted(public_keys.begin(), public_keys.end());
  return wanted == std::set<std::string>(recipients.begin(), recipients.end());
}

std::string serialize(const Manifest& manifest) {
  return to_json_fields(manifest).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<Manifest> parse_manifest(std::string_view text) {
  // Numbers of a manifest are integers.
  bool fraction = false;
  const Json json = Json::parse(
      text,
      [&](int /*depth*/, Json::parse_event_t event, const Json& value) {
        fraction = fraction || (event == Json::parse_event_t::value && value.is_number_float());
        return true;
      },
      /*allow_exceptions=*/false);
  if (fraction) {
    return malformed("a number with a fraction");
  }
  auto manifest = from_json_fields<Manifest>(json);
  if (!manifest) {
    return manifest.error().code == ErrorCode::unsupported ? std::move(manifest).error()
                                                           : malformed(manifest.error().message);
  }
  RB_TRY(check(*manifest));
  return manifest;
}

std::string Manifest::file_name() const {
  return manifest_name(run_id, generation());
}

Result<std::string>
read_manifest_text(Directory& directory, std::string_view run_id, unsigned generation) {
  const std::string name = manifest_name(run_id, generation);
  RB_TRY_ASSIGN(std::string text, read_text(directory, name, k_manifest_limit_bytes + 1));
  if (text.size() > k_manifest_limit_bytes) {
    return Error{ErrorCode::corrupt, name + ": too large for a manifest", {}};
  }
  return text;
}

Result<Manifest>
parse_manifest_of(std::string_view run_id, unsigned generation, std::string_view text) {
  const std::string name = manifest_name(run_id, generation);
  auto manifest = parse_manifest(text);
  if (!manifest) {
    return std::move(manifest).error().within(name);
  }
  if (manifest->file_name() != name) {
    return Error{
        ErrorCode::corrupt, name + ": is the manifest of run " + version_of(*manifest), {}};
  }
  return manifest;
}

std::optional<unsigned> current_generation(const std::vector<DirectoryEntry>& entries,
                                           std::string_view run_id) {
  std::optional<unsigned> current;
  for (const DirectoryEntry& entry : entries) {
    const NameInfo info = classify_name(entry.name);
    if (entry.regular && info.kind == NameKind::manifest && info.run_id == run_id) {
      current = std::max(current.value_or(0), info.generation);
    }
  }
  return current;
}

Result<Manifest> read_manifest(Directory& directory, std::string_view run_id) {
  // What a listing had may be gone when it is opened: a rewrap has made the next generation.
  for (std::optional<unsigned> tried;;) {
    RB_TRY_ASSIGN(const auto entries, directory.fs().list());
    const unsigned generation = current_generation(entries, run_id).value_or(0);
    const auto text = read_manifest_text(directory, run_id, generation);
    if (text) {
      return parse_manifest_of(run_id, generation, *text);
    }
    if (text.error().code != ErrorCode::not_found || tried == generation) {
      return text.error();
    }
    tried = generation;
  }
}

} // namespace rb::set
