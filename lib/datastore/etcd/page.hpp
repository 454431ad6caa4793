// The bytes of a bbolt page (go.etcd.io/bbolt, internal/common: page.go, meta.go, inode.go):
// little-endian, every offset checked against the bytes that are there. Private to this room.
#pragma once

#include "base/bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace rb::etcd {

inline constexpr std::size_t k_page_header_bytes = 16;
inline constexpr std::size_t k_element_bytes = 16;
inline constexpr std::size_t k_meta_bytes = 64;
inline constexpr std::size_t k_bucket_header_bytes = 16;

enum class PageKind { branch, leaf, meta, freelist, unknown };

struct PageHeader {
  std::uint64_t id = 0;
  PageKind kind = PageKind::unknown;
  std::uint16_t count = 0;
  std::uint32_t overflow = 0; ///< Pages that follow and belong to this one.
};

/// `bytes` holds at least k_page_header_bytes.
[[nodiscard]] PageHeader decode_page_header(ByteView bytes);

struct Meta {
  std::uint32_t page_size_bytes = 0;
  std::uint64_t root = 0;
  std::uint64_t freelist = 0; ///< k_no_freelist: not written (etcd opens with NoFreelistSync).
  std::uint64_t high_water = 0;
  std::uint64_t transaction = 0;
};

inline constexpr std::uint64_t k_no_freelist = ~std::uint64_t{0};

/// The meta record after a page header; absent when magic, version, FNV-1a checksum or page size
/// (a power of two, 512 to 65536) is wrong. `bytes` holds at least k_meta_bytes.
[[nodiscard]] std::optional<Meta> decode_meta(ByteView bytes);

struct LeafElement {
  bool is_bucket = false;
  ByteView key;
  ByteView value;
};

struct BranchElement {
  std::uint64_t child = 0;
  ByteView key;
};

/// Element `index` of a page with its overflow, header included. Absent when it does not lie
/// within `node`, or its key is empty.
[[nodiscard]] std::optional<LeafElement> leaf_element(ByteView node, std::size_t index);
[[nodiscard]] std::optional<BranchElement> branch_element(ByteView node, std::size_t index);

[[nodiscard]] std::uint64_t load_u64(ByteView bytes, std::size_t offset);

} // namespace rb::etcd
