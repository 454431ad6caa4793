// A bbolt file as pages (go.etcd.io/bbolt, internal/common: page.go, meta.go, inode.go):
// little-endian, every offset checked against the bytes that are there, nodes read into buffers of
// bounded size. Private to this room.
#pragma once

#include "datastore/etcd/snapshot.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace rb::etcd {

inline constexpr std::size_t k_page_header_bytes = 16;
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

/// A branch or leaf page with its overflow; the bytes belong to the buffer that it was read into.
struct Node {
  PageHeader header;
  ByteView bytes;
};

/// corrupt, "etcd snapshot: WHAT".
[[nodiscard]] Error damaged(const std::string& what);
[[nodiscard]] Error corrupt_page(std::uint64_t page, const std::string& what);

class PageFile {
public:
  /// Reads both meta pages; of the valid ones, that with the higher transaction counts. The
  /// reader must outlive it. Errors: corrupt (none valid, or a file shorter than the meta says).
  [[nodiscard]] static Result<PageFile> open(RandomReader& reader);

  [[nodiscard]] const Meta& meta() const { return m_meta; }
  [[nodiscard]] std::uint64_t size_bytes() const {
    return m_meta.high_water * m_meta.page_size_bytes;
  }

  /// Errors: corrupt (out of range, another id than its place, overflow past the end), io.
  [[nodiscard]] Result<PageHeader> header(std::uint64_t page) const;

  /// The whole node, in `buffer`. Errors: those of header, unsupported (over the limit of its
  /// kind), corrupt (neither branch nor leaf).
  [[nodiscard]] Result<Node> node(std::uint64_t page,
                                  Bytes& buffer,
                                  std::uint32_t branch_limit_bytes,
                                  std::uint32_t leaf_limit_bytes) const;

  /// `buffer.size()` bytes from `offset` into the page. Errors: corrupt, io.
  [[nodiscard]] Status read(std::uint64_t page, std::uint64_t offset, MutableByteView buffer) const;

private:
  [[nodiscard]] Status check_header(std::uint64_t page, const PageHeader& header) const;
  PageFile(RandomReader& reader, const Meta& meta) : m_reader(&reader), m_meta(meta) {}

  RandomReader* m_reader;
  Meta m_meta;
};

} // namespace rb::etcd
