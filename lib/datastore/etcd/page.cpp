#include "datastore/etcd/page.hpp"

#include <bit>
#include <cstring>

namespace rb::etcd {

namespace {

constexpr std::uint16_t k_branch_flag = 0x01;
constexpr std::uint16_t k_leaf_flag = 0x02;
constexpr std::uint16_t k_meta_flag = 0x04;
constexpr std::uint16_t k_freelist_flag = 0x10;
constexpr std::uint32_t k_bucket_flag = 0x01;
constexpr std::uint32_t k_magic = 0xED0CDAED;
constexpr std::uint32_t k_version = 2;
constexpr std::uint32_t k_smallest_page = 512;
constexpr std::uint32_t k_largest_page = 65536;

// bbolt writes in the byte order of the machine; k3s runs on little-endian ones only.
template <typename Number> Number load(ByteView bytes, std::size_t offset) {
  static_assert(std::endian::native == std::endian::little);
  Number number{};
  std::memcpy(&number, bytes.data() + offset, sizeof number);
  return number;
}

std::uint64_t fnv1a(ByteView bytes) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const std::uint8_t byte : bytes) {
    hash = (hash ^ byte) * 0x100000001b3;
  }
  return hash;
}

PageKind kind_of(std::uint16_t flags) {
  return flags == k_branch_flag     ? PageKind::branch
         : flags == k_leaf_flag     ? PageKind::leaf
         : flags == k_meta_flag     ? PageKind::meta
         : flags == k_freelist_flag ? PageKind::freelist
                                    : PageKind::unknown;
}

/// `length` bytes from `offset`; absent when they do not all lie within `node`.
std::optional<ByteView> slice(ByteView node, std::uint64_t offset, std::uint64_t length) {
  if (offset > node.size() || length > node.size() - offset) {
    return std::nullopt;
  }
  return node.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(length));
}

std::optional<std::size_t> element_offset(ByteView node, std::size_t index) {
  const std::size_t offset = k_page_header_bytes + index * k_element_bytes;
  return slice(node, offset, k_element_bytes) ? std::optional(offset) : std::nullopt;
}

} // namespace

std::uint64_t load_u64(ByteView bytes, std::size_t offset) {
  return load<std::uint64_t>(bytes, offset);
}

PageHeader decode_page_header(ByteView bytes) {
  return {load<std::uint64_t>(bytes, 0),
          kind_of(load<std::uint16_t>(bytes, 8)),
          load<std::uint16_t>(bytes, 10),
          load<std::uint32_t>(bytes, 12)};
}

std::optional<Meta> decode_meta(ByteView bytes) {
  constexpr std::size_t checksum_offset = 56;
  Meta meta;
  meta.page_size_bytes = load<std::uint32_t>(bytes, 8);
  meta.root = load<std::uint64_t>(bytes, 16); // its sequence number at 24 is of no use to us
  meta.freelist = load<std::uint64_t>(bytes, 32);
  meta.high_water = load<std::uint64_t>(bytes, 40);
  meta.transaction = load<std::uint64_t>(bytes, 48);
  const bool valid =
      load<std::uint32_t>(bytes, 0) == k_magic && load<std::uint32_t>(bytes, 4) == k_version &&
      load<std::uint64_t>(bytes, checksum_offset) == fnv1a(bytes.first(checksum_offset)) &&
      std::has_single_bit(meta.page_size_bytes) && meta.page_size_bytes >= k_smallest_page &&
      meta.page_size_bytes <= k_largest_page;
  return valid ? std::optional(meta) : std::nullopt;
}

std::optional<LeafElement> leaf_element(ByteView node, std::size_t index) {
  const auto offset = element_offset(node, index);
  if (!offset) {
    return std::nullopt;
  }
  const std::uint64_t position = *offset + load<std::uint32_t>(node, *offset + 4);
  const std::uint64_t key_size = load<std::uint32_t>(node, *offset + 8);
  const std::uint64_t value_size = load<std::uint32_t>(node, *offset + 12);
  const auto key = slice(node, position, key_size);
  const auto value = slice(node, position + key_size, value_size);
  if (!key || !value || key->empty()) {
    return std::nullopt;
  }
  return LeafElement{(load<std::uint32_t>(node, *offset) & k_bucket_flag) != 0, *key, *value};
}

std::optional<BranchElement> branch_element(ByteView node, std::size_t index) {
  const auto offset = element_offset(node, index);
  if (!offset) {
    return std::nullopt;
  }
  const std::uint64_t position = *offset + load<std::uint32_t>(node, *offset);
  const auto key = slice(node, position, load<std::uint32_t>(node, *offset + 4));
  if (!key || key->empty()) {
    return std::nullopt;
  }
  return BranchElement{load<std::uint64_t>(node, *offset + 8), *key};
}

} // namespace rb::etcd
