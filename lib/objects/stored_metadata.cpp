#include "objects/stored_metadata.hpp"

#include "datastore/etcd/protobuf.hpp"
#include "objects/text_field.hpp"

#include "base/json_text.hpp"

#include <nlohmann/json.hpp>

#include <string_view>

namespace rb::objects {

namespace {

using nlohmann::json;

constexpr std::string_view k_protobuf_magic("k8s\0", 4);
constexpr std::uint64_t k_raw_field = 2;      ///< runtime.Unknown.raw
constexpr std::uint64_t k_metadata_field = 1; ///< of every kind that has metadata
// meta/v1 ObjectMeta, OwnerReference, and an entry of a map.
constexpr std::uint64_t k_uid_field = 5;
constexpr std::uint64_t k_deletion_field = 9;
constexpr std::uint64_t k_labels_field = 11;
constexpr std::uint64_t k_owners_field = 13;
constexpr std::uint64_t k_owner_uid_field = 4;
constexpr std::uint64_t k_map_key_field = 1;

constexpr const char* k_managed_label = "kube-aggregator.kubernetes.io/automanaged";
constexpr std::size_t k_uid_limit = 64;

std::string limited(std::string_view uid) {
  return std::string(uid.size() <= k_uid_limit ? uid : std::string_view());
}

void add_owner(StoredMetadata& metadata, int& owners, std::string_view uid) {
  metadata.controlled = true;
  metadata.owner = ++owners == 1 ? limited(uid) : std::string();
}

StoredMetadata from_protobuf(ByteView unknown) {
  StoredMetadata metadata;
  const auto raw = etcd::protobuf_bytes(unknown, k_raw_field);
  const auto found = raw ? etcd::protobuf_bytes(*raw, k_metadata_field) : std::nullopt;
  if (!found) {
    return metadata;
  }
  etcd::ProtobufReader reader(*found);
  int owners = 0;
  while (const auto field = reader.next()) {
    if (!field->is_bytes) {
      continue;
    }
    if (field->number == k_uid_field) {
      metadata.uid = limited(as_text(field->bytes));
    } else if (field->number == k_deletion_field) {
      metadata.deleting = true;
    } else if (field->number == k_labels_field) {
      const auto key = etcd::protobuf_bytes(field->bytes, k_map_key_field);
      metadata.controlled = metadata.controlled || (key && as_text(*key) == k_managed_label);
    } else if (field->number == k_owners_field) {
      const auto uid = etcd::protobuf_bytes(field->bytes, k_owner_uid_field);
      add_owner(metadata, owners, uid ? as_text(*uid) : std::string_view());
    }
  }
  return reader.failed() ? StoredMetadata() : metadata;
}

const json& member(const json& object, const char* name) {
  static const json k_none;
  const auto found = object.is_object() ? object.find(name) : object.end();
  return object.is_object() && found != object.end() ? *found : k_none;
}

StoredMetadata from_json(std::string_view text) {
  const json object = json_of(text);
  const json& found = member(object, "metadata");
  StoredMetadata metadata;
  if (!found.is_object()) {
    return metadata;
  }
  metadata.uid = limited(text_field(found, "uid"));
  metadata.deleting = member(found, "deletionTimestamp").is_string();
  metadata.controlled = !member(member(found, "labels"), k_managed_label).is_null();
  int owners = 0;
  for (const json& owner : member(found, "ownerReferences")) {
    add_owner(metadata, owners, owner.is_object() ? text_field(owner, "uid") : std::string());
  }
  return metadata;
}

} // namespace

StoredMetadata stored_metadata(ByteView value) {
  const std::string_view text = as_text(value);
  if (text.starts_with(k_protobuf_magic)) {
    return from_protobuf(value.subspan(k_protobuf_magic.size()));
  }
  return text.starts_with('{') ? from_json(text) : StoredMetadata();
}

} // namespace rb::objects
