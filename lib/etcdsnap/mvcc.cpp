#include "etcdsnap/mvcc.hpp"

#include <cstddef>

namespace rb::etcdsnap {

namespace {

constexpr std::size_t k_revision_bytes = 17;

std::uint64_t big_endian(ByteView bytes) {
  std::uint64_t number = 0;
  for (const std::uint8_t byte : bytes.first(8)) {
    number = number << 8U | byte;
  }
  return number;
}

/// A base-128 number (protobuf encoding), at most ten bytes long.
std::optional<std::uint64_t> take_varint(ByteView& rest) {
  std::uint64_t number = 0;
  for (unsigned shift = 0; shift < 70 && !rest.empty(); shift += 7) {
    const std::uint8_t byte = rest.front();
    rest = rest.subspan(1);
    number |= shift < 64 ? std::uint64_t{byte & 0x7FU} << shift : 0;
    if ((byte & 0x80U) == 0) {
      return number;
    }
  }
  return std::nullopt;
}

std::optional<ByteView> take_bytes(ByteView& rest, std::uint64_t count) {
  if (count > rest.size()) {
    return std::nullopt;
  }
  const ByteView taken = rest.first(static_cast<std::size_t>(count));
  rest = rest.subspan(taken.size());
  return taken;
}

/// Wire types of protobuf.
enum class Wire : std::uint64_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

/// The field's content, where it is of the type `bytes`; an empty view for the others.
std::optional<ByteView> take_field(ByteView& rest, std::uint64_t wire) {
  if (wire == static_cast<std::uint64_t>(Wire::bytes)) {
    const auto length = take_varint(rest);
    return length ? take_bytes(rest, *length) : std::nullopt;
  }
  const bool taken =
      wire == static_cast<std::uint64_t>(Wire::varint)    ? take_varint(rest).has_value()
      : wire == static_cast<std::uint64_t>(Wire::fixed64) ? take_bytes(rest, 8).has_value()
      : wire == static_cast<std::uint64_t>(Wire::fixed32) ? take_bytes(rest, 4).has_value()
                                                          : false;
  return taken ? std::optional(ByteView()) : std::nullopt;
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

std::optional<ByteView> key_of_value(ByteView message) {
  std::optional<ByteView> key = ByteView();
  while (!message.empty()) {
    const auto tag = take_varint(message);
    if (!tag || *tag >> 3U == 0) {
      return std::nullopt;
    }
    const auto field = take_field(message, *tag & 7U);
    if (!field) {
      return std::nullopt;
    }
    if (*tag == (1U << 3U | static_cast<unsigned>(Wire::bytes))) {
      key = field;
    }
  }
  return key;
}

} // namespace rb::etcdsnap
