// How Kubernetes and k3s write keys and values, whatever datastore they lie in: what the name of a
// key says, and the wire format of protobuf.
#pragma once

#include "base/bytes.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rb::datastore {

struct ProtobufField {
  std::uint64_t number = 0;
  bool is_bytes = false;    ///< Wire type 2; only then is `bytes` the field's content.
  ByteView bytes;           ///< A part of the message.
  std::uint64_t varint = 0; ///< The value, where the wire type is 0.
};

/// Reads a message (protobuf.dev, "Encoding"): fields one after another, without copies and without
/// a schema.
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

/// Kinds that are counted by name.
inline constexpr std::size_t k_kind_limit = 4096;

/// Stands for kinds whose names are not fit to print, and for those over k_kind_limit.
inline constexpr std::string_view k_other_kind = "(other)";

/// The kind of "/registry/<kind>/…": one segment, or two where the first is an API group or
/// "services". Absent for keys elsewhere; k_other_kind where it would not be fit to print.
[[nodiscard]] std::optional<std::string> object_kind(std::string_view key);

/// What a server writes in JSON in the place of each byte that is not UTF-8: U+FFFD.
inline constexpr std::string_view k_unsayable = "\xEF\xBF\xBD";

/// A server tells it in JSON as it is. Of some kinds (roles and their bindings) a name is any text
/// without "/" and "%", and who sends one as protobuf is not asked for UTF-8.
[[nodiscard]] bool is_sayable(std::string_view key);

/// The <hash> of "/bootstrap/<hash>"; absent for other keys, and for what k3s would not write.
[[nodiscard]] std::optional<std::string> bootstrap_hash(std::string_view key);

} // namespace rb::datastore
