#include "objects/contents.hpp"

#include "datastore/datastore.hpp"
#include "datastore/keys/keys.hpp"

#include "base/json_fields.hpp"
#include "base/json_member.hpp"

#include <nlohmann/json.hpp>

#include <fcntl.h>

#include <algorithm>
#include <optional>

namespace rb::objects {

namespace {

using nlohmann::json;

constexpr std::string_view k_registry = "/registry/";
constexpr std::string_view k_protobuf_magic("k8s\0", 4);
constexpr std::uint64_t k_raw_field = 2;      ///< runtime.Unknown.raw
constexpr std::uint64_t k_metadata_field = 1; ///< of every kind that has metadata
// meta/v1 ObjectMeta, OwnerReference, and an entry of a map.
constexpr std::uint64_t k_uid_field = 5;
constexpr std::uint64_t k_deletion_field = 9;
constexpr std::uint64_t k_labels_field = 11;
constexpr std::uint64_t k_annotations_field = 12;
constexpr std::uint64_t k_owners_field = 13;
constexpr std::uint64_t k_owner_uid_field = 4;
constexpr std::uint64_t k_map_key_field = 1;
constexpr std::uint64_t k_map_value_field = 2;
// core/v1 Node, NodeStatus, NodeSystemInfo.
constexpr std::uint64_t k_status_field = 3;
constexpr std::uint64_t k_node_info_field = 7;
constexpr std::uint64_t k_kubelet_version_field = 7;

constexpr const char* k_managed_label = "kube-aggregator.kubernetes.io/automanaged";
constexpr std::size_t k_uid_limit = 64;

std::string limited(std::string_view uid) {
  return std::string(uid.size() <= k_uid_limit ? uid : std::string_view());
}

void add_owner(StoredMetadata& metadata, int& owners, std::string_view uid) {
  metadata.controlled = true;
  metadata.owner = ++owners == 1 ? limited(uid) : std::string();
}

std::optional<ByteView> metadata_in(ByteView unknown) {
  const auto raw = datastore::protobuf_bytes(unknown, k_raw_field);
  return raw ? datastore::protobuf_bytes(*raw, k_metadata_field) : std::nullopt;
}

StoredMetadata from_protobuf(ByteView unknown) {
  StoredMetadata metadata;
  const auto found = metadata_in(unknown);
  if (!found) {
    return metadata;
  }
  datastore::ProtobufReader reader(*found);
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
      const auto key = datastore::protobuf_bytes(field->bytes, k_map_key_field);
      metadata.controlled = metadata.controlled || (key && as_text(*key) == k_managed_label);
    } else if (field->number == k_owners_field) {
      const auto uid = datastore::protobuf_bytes(field->bytes, k_owner_uid_field);
      add_owner(metadata, owners, uid ? as_text(*uid) : std::string_view());
    }
  }
  return reader.failed() ? StoredMetadata() : metadata;
}

StoredMetadata from_json(std::string_view text) {
  const json object = json_of(text);
  const json& found = json_member(object, "metadata");
  StoredMetadata metadata;
  if (!found.is_object()) {
    return metadata;
  }
  metadata.uid = limited(json_text(found, "uid"));
  metadata.deleting = json_member(found, "deletionTimestamp").is_string();
  metadata.controlled = !json_member(json_member(found, "labels"), k_managed_label).is_null();
  int owners = 0;
  for (const json& owner : json_member(found, "ownerReferences")) {
    add_owner(metadata, owners, owner.is_object() ? json_text(owner, "uid") : std::string());
  }
  return metadata;
}

std::string annotation_in_protobuf(ByteView unknown, std::string_view name) {
  const auto metadata = metadata_in(unknown);
  if (!metadata) {
    return {};
  }
  datastore::ProtobufReader reader(*metadata);
  while (const auto field = reader.next()) {
    if (!field->is_bytes || field->number != k_annotations_field) {
      continue;
    }
    const auto key = datastore::protobuf_bytes(field->bytes, k_map_key_field);
    if (key && as_text(*key) == name) {
      const auto value = datastore::protobuf_bytes(field->bytes, k_map_value_field);
      return value ? std::string(as_text(*value)) : std::string();
    }
  }
  return {};
}

} // namespace

StoredMetadata stored_metadata(ByteView value) {
  const std::string_view text = as_text(value);
  if (text.starts_with(k_protobuf_magic)) {
    return from_protobuf(value.subspan(k_protobuf_magic.size()));
  }
  return text.starts_with('{') ? from_json(text) : StoredMetadata();
}

std::string stored_annotation(ByteView object, std::string_view name) {
  const std::string_view text = as_text(object);
  if (text.starts_with(k_protobuf_magic)) {
    return annotation_in_protobuf(object.subspan(k_protobuf_magic.size()), name);
  }
  return text.starts_with('{')
             ? json_text(json_member(json_member(json_of(text), "metadata"), "annotations"),
                         std::string(name).c_str())
             : std::string();
}

std::string stored_kubelet_version(ByteView node) {
  const std::string_view text = as_text(node);
  if (text.starts_with('{')) {
    const json object = json_of(text);
    return json_text(json_member(json_member(object, "status"), "nodeInfo"), "kubeletVersion");
  }
  if (!text.starts_with(k_protobuf_magic)) {
    return {};
  }
  std::optional<ByteView> found = node.subspan(k_protobuf_magic.size());
  for (const std::uint64_t field :
       {k_raw_field, k_status_field, k_node_info_field, k_kubelet_version_field}) {
    found = found ? datastore::protobuf_bytes(*found, field) : std::nullopt;
  }
  return found ? std::string(as_text(*found)) : std::string();
}

Result<Contents> read_contents(RandomReader& reader, const std::stop_token& stop) {
  Contents contents;
  const auto take = [&contents](const datastore::KeyChange& change) -> Status {
    contents.revision = std::max(contents.revision, change.revision);
    const std::string_view key = as_text(change.key);
    if (!key.starts_with(k_registry)) {
      return {};
    }
    const std::string name(key.substr(k_registry.size()));
    if (change.deleted) {
      contents.objects.erase(name);
      return {};
    }
    contents.objects[name] = {change.revision, stored_metadata(change.value)};
    if (contents.objects.size() > k_object_limit) {
      return Error{ErrorCode::unsupported,
                   "the copy of the datastore holds more than " + std::to_string(k_object_limit) +
                       " objects: too many to compare one by one",
                   {}};
    }
    return {};
  };
  RB_TRY_ASSIGN(const api::DatastoreKind kind, datastore::kind_of(reader));
  RB_TRY(datastore::of(kind).replay(reader, take, stop));
  return contents;
}

Result<Contents> read_contents_of(const std::string& path, const std::stop_token& stop) {
  RB_TRY_ASSIGN(Fd file, open_file(path, O_RDONLY | O_NOFOLLOW));
  RB_TRY_ASSIGN(const auto reader, FileReader::open(std::move(file), path));
  return read_contents(*reader, stop);
}

} // namespace rb::objects
