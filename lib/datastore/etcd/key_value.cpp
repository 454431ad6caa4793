#include "datastore/etcd/key_value.hpp"

#include "datastore/keys/keys.hpp"

#include <cstddef>

namespace rb::etcd {

namespace {

constexpr std::size_t k_revision_bytes = 17;
constexpr std::uint64_t k_key_field = 1;
constexpr std::uint64_t k_value_field = 5;

std::uint64_t big_endian(ByteView bytes) {
  std::uint64_t number = 0;
  for (const std::uint8_t byte : bytes.first(8)) {
    number = number << 8U | byte;
  }
  return number;
}

} // namespace

std::optional<RevisionKey> decode_revision_key(ByteView bytes) {
  const bool marked = bytes.size() == k_revision_bytes + 1;
  if ((bytes.size() != k_revision_bytes && !marked) || bytes[8] != '_') {
    return std::nullopt;
  }
  const auto main = static_cast<std::int64_t>(big_endian(bytes));
  const auto sub = static_cast<std::int64_t>(big_endian(bytes.subspan(9)));
  if (main < 0 || sub < 0) {
    return std::nullopt;
  }
  return RevisionKey{main, marked && bytes.back() == 't'};
}

std::optional<KeyValue> decode_key_value(ByteView message) {
  KeyValue result;
  datastore::ProtobufReader reader(message);
  while (const auto field = reader.next()) {
    if (field->is_bytes && field->number == k_key_field) {
      result.key = field->bytes;
    } else if (field->is_bytes && field->number == k_value_field) {
      result.value = field->bytes;
    }
  }
  return reader.failed() ? std::nullopt : std::optional(result);
}

} // namespace rb::etcd
