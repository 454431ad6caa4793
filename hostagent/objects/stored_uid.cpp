#include "objects/stored_uid.hpp"

#include "base/json_text.hpp"
#include "etcdsnap/protobuf.hpp"

#include <nlohmann/json.hpp>

#include <string_view>

namespace rb::objects {

namespace {

constexpr std::string_view k_protobuf_magic("k8s\0", 4);
constexpr std::uint64_t k_raw_field = 2;      ///< runtime.Unknown.raw
constexpr std::uint64_t k_metadata_field = 1; ///< of every kind that has metadata
constexpr std::uint64_t k_uid_field = 5;      ///< meta/v1 ObjectMeta.uid
constexpr std::size_t k_uid_limit = 64;

std::string from_protobuf(ByteView unknown) {
  const auto raw = etcdsnap::protobuf_bytes(unknown, k_raw_field);
  const auto metadata = raw ? etcdsnap::protobuf_bytes(*raw, k_metadata_field) : std::nullopt;
  const auto uid = metadata ? etcdsnap::protobuf_bytes(*metadata, k_uid_field) : std::nullopt;
  return uid ? std::string(as_text(*uid)) : std::string();
}

std::string from_json(std::string_view text) {
  const auto object = json_of(text);
  if (!object.is_object() || !object.contains("metadata") || !object["metadata"].is_object()) {
    return {};
  }
  const auto& metadata = object["metadata"];
  const auto uid = metadata.find("uid");
  return uid != metadata.end() && uid->is_string() ? uid->get<std::string>() : std::string();
}

} // namespace

std::string stored_uid(ByteView value) {
  const std::string_view text = as_text(value);
  std::string uid;
  if (text.starts_with(k_protobuf_magic)) {
    uid = from_protobuf(value.subspan(k_protobuf_magic.size()));
  } else if (text.starts_with('{')) {
    uid = from_json(text);
  }
  return uid.size() <= k_uid_limit ? uid : std::string();
}

} // namespace rb::objects
