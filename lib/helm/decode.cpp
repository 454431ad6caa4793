#include "archive/entry_path.hpp"
#include "archive/gzip.hpp"
#include "helm/base64.hpp"
#include "helm/index.hpp"
#include "helm/names.hpp"
#include "helm/record.hpp"
#include "helm/release.hpp"
#include "helm/values_yaml.hpp"

#include <utility>

namespace rb::helm {

namespace {

Status check_names(const std::string& name_space, const std::string& name, std::string_view who) {
  if (is_safe_namespace(name_space) && is_safe_release_name(name)) {
    return {};
  }
  return Error{ErrorCode::invalid_argument,
               "unsafe name: " + std::string(who) + " namespace '" +
                   archive::printable(name_space) + "', release '" + archive::printable(name) + "'",
               "no file is written under such a name; look at who made this object"};
}

Result<SecretBytes> unpack(SecretBytes packed, const Limits& limits) {
  if (!archive::looks_like_gzip(packed.view())) {
    return packed; // the first releases of Helm 3 stored plain JSON
  }
  auto json = archive::gunzip(packed.view(),
                              {.max_bytes = limits.max_json_bytes,
                               .max_ratio = limits.max_ratio,
                               .ratio_floor_bytes = limits.ratio_floor_bytes});
  if (!json) {
    const bool bomb = json.error().code == ErrorCode::unsupported;
    return std::move(json).error().within(bomb ? "too large" : "bad gzip");
  }
  return json;
}

/// The record says of itself what Helm wrote; only what makes a file name is taken from outside.
Result<Release> make_release(const StoredRelease& stored, Record record, const Limits& limits) {
  RB_TRY_ASSIGN(ReleaseKey key, release_key(stored));
  RB_TRY(check_names(key.name_space, key.name, "stored as"));
  if (record.name_space.empty()) {
    record.name_space = key.name_space;
  }
  RB_TRY(check_names(record.name_space, record.name, "the record says"));
  RB_TRY_ASSIGN(SecretBytes yaml, values_yaml(record.config_json, limits));
  Release release;
  release.key = std::move(key);
  release.kind = stored.kind;
  release.storage_object = stored.storage_object();
  release.recorded = {std::move(record.name_space), std::move(record.name), record.revision};
  release.status = std::move(record.status);
  release.first_deployed = std::move(record.first_deployed);
  release.last_deployed = std::move(record.last_deployed);
  release.deleted = std::move(record.deleted);
  release.chart_name = std::move(record.chart_name);
  release.chart_version = std::move(record.chart_version);
  release.app_version = std::move(record.app_version);
  release.owner = api::find_owner({release.key.name_space,
                                   release.key.name,
                                   release.chart_version,
                                   record.bundle_id,
                                   stored.labels});
  release.has_values = yaml.text() != "null\n" && yaml.text() != "{}\n";
  release.values_yaml = std::move(yaml);
  const std::string odd =
      unusable(indexed(release, values_file(release.key.name_space, release.key.name)), limits);
  return odd.empty() ? Result<Release>(std::move(release)) : Error{ErrorCode::unsupported, odd, {}};
}

Status check_size(std::string_view stored, const Limits& limits) {
  if (stored.empty()) {
    return Error{ErrorCode::incomplete, "missing field: the object has no data 'release'", {}};
  }
  if (stored.size() > limits.max_stored_bytes) {
    return Error{ErrorCode::unsupported,
                 "too large: the record has more than " + std::to_string(limits.max_stored_bytes) +
                     " bytes",
                 {}};
  }
  return {};
}

} // namespace

Result<Release>
decode_release_record(const StoredRelease& stored, std::string_view record, const Limits& limits) {
  RB_TRY(check_size(record, limits));
  RB_TRY_ASSIGN(SecretBytes packed, decode_base64(record));
  RB_TRY_ASSIGN(const SecretBytes json, unpack(std::move(packed), limits));
  RB_TRY_ASSIGN(Record parsed, parse_record(json.text(), limits));
  return make_release(stored, std::move(parsed), limits);
}

Result<Release>
decode_release(const StoredRelease& stored, std::string_view api_data, const Limits& limits) {
  switch (stored.kind) {
  case StorageKind::config_map:
    return decode_release_record(stored, api_data, limits);
  case StorageKind::secret:
    break;
  }
  RB_TRY(check_size(api_data, limits));
  RB_TRY_ASSIGN(const SecretBytes record, decode_base64(api_data));
  return decode_release_record(stored, record.text(), limits);
}

api::UndecodableRelease undecodable(const StoredRelease& stored, const Error& error) {
  return {stored.name_space, stored.storage_object(), error.message};
}

OddRelease odd_release(const StoredRelease& stored,
                       std::string_view api_data,
                       const Error& error,
                       const Limits& limits) {
  OddRelease odd{undecodable(stored, error), {}};
  if (api_data.size() > limits.max_stored_bytes) {
    return odd;
  }
  auto stored_bytes = stored.kind == StorageKind::secret
                          ? decode_base64(api_data)
                          : Result<SecretBytes>(SecretBytes(as_bytes(api_data)));
  odd.raw = stored_bytes ? std::move(stored_bytes).value() : SecretBytes(as_bytes(api_data));
  return odd;
}

} // namespace rb::helm
