#include "api/artifacts.hpp"

#include "base/text.hpp"

namespace rb::api {

namespace {

constexpr std::size_t k_release_message_limit = 512; ///< The maxLength of crds/.
constexpr std::string_view k_etcd_word = "EtcdSnapshot";
constexpr std::string_view k_sqlite_prefix = "sqlite-";

template <typename T> nlohmann::json list_to_json(const std::vector<T>& values) {
  nlohmann::json list = nlohmann::json::array();
  for (const T& value : values) {
    list.emplace_back(to_json_fields(value));
  }
  return list;
}

template <typename T>
Result<std::vector<T>> list_from_json(const char* name, const nlohmann::json& list) {
  const nlohmann::json whole{{name, list}};
  std::vector<T> values;
  JsonFields reader(whole);
  reader.required(name, values);
  RB_TRY(reader.result());
  return values;
}

} // namespace

static void fields(JsonFields& json, UndecodableRelease& release) {
  json.always("namespace", release.name_space);
  json.always("storageObject", release.storage_object);
  if (!json.reading()) {
    release.message = bounded(release.message, k_release_message_limit);
  }
  json.always("message", release.message);
}

std::span<const Word<DatastoreKind>> words_of(DatastoreKind /*kind*/) {
  static constexpr std::array<Word<DatastoreKind>, 2> k_words{
      {{DatastoreKind::etcd, "etcd"}, {DatastoreKind::sqlite, "SQLite"}}};
  return k_words;
}

std::span<const Word<ArtifactType>> words_of(ArtifactType /*type*/) {
  static constexpr std::array<Word<ArtifactType>, 5> k_words{
      {{ArtifactType::datastore, "Datastore"},
       {ArtifactType::datastore, k_etcd_word}, // of before there was another one
       {ArtifactType::helm_values, "HelmValues"},
       {ArtifactType::kubeconfig, "Kubeconfig"},
       {ArtifactType::host_state, "HostState"}}};
  return k_words;
}

Result<ArtifactType> parse_artifact_type(std::string_view text) {
  if (const auto type = from_word<ArtifactType>(text)) {
    return *type;
  }
  return Error{ErrorCode::invalid_argument,
               "unknown artifact: " + std::string(text),
               "use Datastore, HelmValues, Kubeconfig or HostState"};
}

std::string file_name(ArtifactType type, std::string_view run_id, DatastoreKind kind) {
  const std::string id(run_id);
  switch (type) {
  case ArtifactType::datastore:
    return kind == DatastoreKind::etcd ? "etcd-" + id + ".snap.age"
                                       : std::string(k_sqlite_prefix) + id + ".db.age";
  case ArtifactType::helm_values:
    return "helm-values-" + id + ".tar.gz.age";
  case ArtifactType::kubeconfig:
    return "kubeconfig-" + id + ".yaml.age";
  case ArtifactType::host_state:
    return "host-state-" + id + ".tar.gz.age";
  }
  return {};
}

DatastoreKind kind_of_file(std::string_view file_name) {
  return file_name.starts_with(k_sqlite_prefix) ? DatastoreKind::sqlite : DatastoreKind::etcd;
}

std::string_view stored_word(ArtifactType type, DatastoreKind kind) {
  return type == ArtifactType::datastore && kind == DatastoreKind::etcd ? k_etcd_word
                                                                        : to_string(type);
}

std::string MissingArtifact::reason_word() const {
  return newer_reason.empty() ? std::string(to_string(reason)) : newer_reason;
}

// The type comes first in both: what else is in an artifact that we do not know does not count.

void fields(JsonFields& json, ArtifactStatus& artifact) {
  if (json.reading()) {
    json.required("type", artifact.type);
  } else {
    std::string word(stored_word(artifact.type, kind_of_file(artifact.file_name)));
    json.required("type", word);
  }
  json.required("fileName", artifact.file_name);
  json.required("sizeBytes", artifact.size_bytes);
  json.required("sha256", artifact.sha256);
}

void fields(JsonFields& json, MissingArtifact& missing) {
  json.required("type", missing.type);
  std::string word = missing.reason_word();
  json.required("reason", word);
  if (!json.reading()) {
    missing.message = bounded(missing.message, k_message_limit);
  } else if (const auto reason = parse_reason(word)) {
    missing.reason = *reason;
  } else {
    missing.newer_reason = std::move(word);
  }
  json.always("message", missing.message);
}

void fields(JsonFields& json, EtcdStatus& etcd) {
  json.optional("kind", etcd.kind, DatastoreKind::etcd);
  json.required("revision", etcd.revision);
  json.required("totalKeys", etcd.total_keys);
}

void fields(JsonFields& json, HelmStatus& helm) {
  if (!json.reading() && helm.undecodable.size() > k_undecodable_limit) {
    helm.undecodable.resize(k_undecodable_limit);
  }
  json.required("releases", helm.releases);
  json.always("undecodable", helm.undecodable);
  json.always("undecodableTotal", helm.undecodable_total);
}

void fields(JsonFields& json, RunResults& results) {
  json.always("artifacts", results.artifacts);
  json.always("missing", results.missing);
  json.optional("etcd", results.etcd);
  json.optional("signingKey", results.signing_key);
}

nlohmann::json to_json(const std::vector<ArtifactStatus>& artifacts) {
  return list_to_json(artifacts);
}

nlohmann::json to_json(const std::vector<MissingArtifact>& missing) {
  return list_to_json(missing);
}

nlohmann::json to_json(const HelmStatus& helm) {
  return to_json_fields(helm);
}

Result<std::vector<ArtifactStatus>> artifacts_from_json(const nlohmann::json& json) {
  return list_from_json<ArtifactStatus>("artifacts", json);
}

Result<std::vector<MissingArtifact>> missing_from_json(const nlohmann::json& json) {
  return list_from_json<MissingArtifact>("missing", json);
}

Result<HelmStatus> helm_from_json(const nlohmann::json& json) {
  return from_json_fields<HelmStatus>(json);
}

std::string bounded(const std::string& text, std::size_t limit) {
  return text.size() <= limit ? text : std::string(cut_to(text, limit - 3)) + "...";
}

} // namespace rb::api
