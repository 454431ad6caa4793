// Reads the wire format of protobuf (protobuf.dev, "Encoding"): fields one after another, without
// copies and without a schema.
#pragma once

#include "base/bytes.hpp"

#include <cstdint>
#include <optional>

namespace rb::etcd {

struct ProtobufField {
  std::uint64_t number = 0;
  bool is_bytes = false;    ///< Wire type 2; only then is `bytes` the field's content.
  ByteView bytes;           ///< A part of the message.
  std::uint64_t varint = 0; ///< The value, where the wire type is 0.
};

class ProtobufReader {
public:
  explicit ProtobufReader(ByteView message) : m_rest(message) {}

  /// The next field; absent at the end and where the message is malformed: look at failed().
  [[nodiscard]] std::optional<ProtobufField> next();
  [[nodiscard]] bool failed() const { return m_failed; }

private:
  [[nodiscard]] std::optional<ProtobufField> take();

  ByteView m_rest;
  bool m_failed = false;
};

/// The content of the last field `number` of wire type 2; absent where there is none, or where the
/// message is malformed.
[[nodiscard]] std::optional<ByteView> protobuf_bytes(ByteView message, std::uint64_t number);

} // namespace rb::etcd
