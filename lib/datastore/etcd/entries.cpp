#include "datastore/etcd/entries.hpp"

#include "datastore/keys/keys.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>

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

namespace {

constexpr std::uint32_t k_polynomial = 0x82F63B78; // reflected

// Eight tables, so that eight bytes are taken at a time ("slicing-by-8").
using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr Tables make_tables() {
  Tables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc & 1U) != 0 ? crc >> 1U ^ k_polynomial : crc >> 1U;
    }
    tables[0][byte] = crc;
  }
  for (std::size_t i = 1; i < tables.size(); ++i) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t before = tables[i - 1][byte];
      tables[i][byte] = before >> 8U ^ tables[0][before & 0xFFU];
    }
  }
  return tables;
}

constexpr Tables k_tables = make_tables();

} // namespace

void Crc32c::update(ByteView bytes) {
  static_assert(std::endian::native == std::endian::little);
  std::uint32_t crc = m_state;
  while (bytes.size() >= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), 8);
    word ^= crc;
    crc = 0;
    for (std::size_t i = 0; i < 8; ++i) {
      crc ^= k_tables[7 - i][word >> (8 * i) & 0xFFU];
    }
    bytes = bytes.subspan(8);
  }
  for (const std::uint8_t byte : bytes) {
    crc = crc >> 8U ^ k_tables[0][(crc ^ byte) & 0xFFU];
  }
  m_state = crc;
}

} // namespace rb::etcd
