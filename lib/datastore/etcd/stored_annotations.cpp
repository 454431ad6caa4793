#include "datastore/etcd/stored_annotations.hpp"

#include "datastore/etcd/protobuf.hpp"

#include "base/json_text.hpp"

#include <nlohmann/json.hpp>

namespace rb::etcd {

namespace {

constexpr std::string_view k_protobuf_magic("k8s\0", 4);
constexpr std::uint64_t k_raw_field = 2;      ///< runtime.Unknown.raw
constexpr std::uint64_t k_metadata_field = 1; ///< Of every kind that has metadata.
constexpr std::uint64_t k_annotations_field = 12;
constexpr std::uint64_t k_map_key_field = 1;
constexpr std::uint64_t k_map_value_field = 2;

std::string of_protobuf(ByteView unknown, std::string_view name) {
  const auto raw = protobuf_bytes(unknown, k_raw_field);
  const auto metadata = raw ? protobuf_bytes(*raw, k_metadata_field) : std::nullopt;
  if (!metadata) {
    return {};
  }
  ProtobufReader reader(*metadata);
  while (const auto field = reader.next()) {
    if (!field->is_bytes || field->number != k_annotations_field) {
      continue;
    }
    const auto key = protobuf_bytes(field->bytes, k_map_key_field);
    if (key && as_text(*key) == name) {
      const auto value = protobuf_bytes(field->bytes, k_map_value_field);
      return value ? std::string(as_text(*value)) : std::string();
    }
  }
  return {};
}

std::string of_json(std::string_view text, std::string_view name) {
  const nlohmann::json object = json_of(text);
  const auto metadata = object.is_object() ? object.find("metadata") : object.end();
  if (metadata == object.end() || !metadata->is_object()) {
    return {};
  }
  const auto annotations = metadata->find("annotations");
  if (annotations == metadata->end() || !annotations->is_object()) {
    return {};
  }
  const auto value = annotations->find(name);
  return value != annotations->end() && value->is_string() ? value->get<std::string>()
                                                           : std::string();
}

} // namespace

std::string stored_annotation(ByteView object, std::string_view name) {
  const std::string_view text = as_text(object);
  if (text.starts_with(k_protobuf_magic)) {
    return of_protobuf(object.subspan(k_protobuf_magic.size()), name);
  }
  return text.starts_with('{') ? of_json(text, name) : std::string();
}

} // namespace rb::etcd
