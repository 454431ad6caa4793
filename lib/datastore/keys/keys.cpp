#include "datastore/keys/keys.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace rb::datastore {

namespace {

/// A base-128 number, at most ten bytes long.
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

enum class Wire : std::uint64_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

constexpr std::string_view k_registry = "/registry/";
constexpr std::string_view k_bootstrap = "/bootstrap/";
constexpr std::size_t k_kind_length = 253 + 1 + 63; // <group>/<resource>, both DNS names

bool fit_to_print(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

bool is_utf8(std::string_view key) {
  while (!key.empty()) {
    const auto lead = static_cast<std::uint8_t>(key.front());
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (length > key.size() || (lead >= 0x80 && lead < 0xc2) || lead > 0xf4) {
      return false;
    }
    std::uint32_t c = length == 1 ? lead : lead & (0xffU >> (length + 1));
    for (const char next : key.substr(1, length - 1)) {
      const auto byte = static_cast<std::uint8_t>(next);
      if ((byte & 0xc0U) != 0x80U) {
        return false;
      }
      c = (c << 6U) | (byte & 0x3fU);
    }
    constexpr std::array<std::uint32_t, 5> k_least{0, 0, 0x80, 0x800, 0x10000};
    if (c < k_least.at(length) || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
      return false;
    }
    key.remove_prefix(length);
  }
  return true;
}

} // namespace

std::optional<ProtobufField> ProtobufReader::take() {
  const auto tag = take_varint(m_rest);
  if (!tag || *tag >> 3U == 0) {
    return std::nullopt;
  }
  ProtobufField field;
  field.number = *tag >> 3U;
  const std::uint64_t wire = *tag & 7U;
  if (wire == static_cast<std::uint64_t>(Wire::bytes)) {
    const auto length = take_varint(m_rest);
    const auto bytes = length ? take_bytes(m_rest, *length) : std::nullopt;
    field.is_bytes = true;
    field.bytes = bytes.value_or(ByteView());
    return bytes ? std::optional(field) : std::nullopt;
  }
  if (wire == static_cast<std::uint64_t>(Wire::varint)) {
    const auto value = take_varint(m_rest);
    field.varint = value.value_or(0);
    return value ? std::optional(field) : std::nullopt;
  }
  const bool taken =
      wire == static_cast<std::uint64_t>(Wire::fixed64)   ? take_bytes(m_rest, 8).has_value()
      : wire == static_cast<std::uint64_t>(Wire::fixed32) ? take_bytes(m_rest, 4).has_value()
                                                          : false;
  return taken ? std::optional(field) : std::nullopt;
}

std::optional<ProtobufField> ProtobufReader::next() {
  if (m_rest.empty() || m_failed) {
    return std::nullopt;
  }
  auto field = take();
  m_failed = !field.has_value();
  return field;
}

std::optional<ByteView> protobuf_bytes(ByteView message, std::uint64_t number) {
  std::optional<ByteView> found;
  ProtobufReader reader(message);
  while (const auto field = reader.next()) {
    if (field->number == number && field->is_bytes) {
      found = field->bytes;
    }
  }
  return reader.failed() ? std::nullopt : found;
}

std::optional<std::string> object_kind(std::string_view key) {
  if (!key.starts_with(k_registry)) {
    return std::nullopt;
  }
  key.remove_prefix(k_registry.size());
  std::size_t end = std::min(key.find('/'), key.size());
  const std::string_view first = key.substr(0, end);
  if ((first == "services" || first.find('.') != std::string_view::npos) && end < key.size()) {
    end = std::min(key.find('/', end + 1), key.size());
  }
  const std::string_view kind = key.substr(0, end);
  const bool usable = !kind.empty() && kind.size() <= k_kind_length && fit_to_print(kind);
  return std::string(usable ? kind : k_other_kind);
}

bool is_sayable(std::string_view key) {
  return key.find(k_unsayable) == std::string_view::npos && is_utf8(key);
}

std::optional<std::string> bootstrap_hash(std::string_view key) {
  if (!key.starts_with(k_bootstrap)) {
    return std::nullopt;
  }
  key.remove_prefix(k_bootstrap.size());
  const bool is_hash = !key.empty() && key.size() <= 64 &&
                       key.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  return is_hash ? std::optional(std::string(key)) : std::nullopt;
}

} // namespace rb::datastore
