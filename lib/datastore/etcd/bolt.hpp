// A bbolt file (go.etcd.io/bbolt, internal/common: page.go, meta.go, inode.go): its pages,
// little-endian, every offset checked against the bytes that are there, nodes read into buffers of
// bounded size; and the walk through its B+ trees in key order, which checks on the way what `bbolt
// check` checks: every page once, keys in order, every key within the range that its parent gives.
// Private to this room.
#pragma once

#include "datastore/etcd/snapshot.hpp"

#include "base/port.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

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

/// Which pages of a database have been claimed: one bit a page.
class PageMap {
public:
  explicit PageMap(std::uint64_t pages) : m_bits(pages), m_pages(pages) {}

  /// Claims `count` pages from `first`; false when one of them is out of range or taken.
  [[nodiscard]] bool claim(std::uint64_t first, std::uint64_t count) {
    if (first >= m_pages || count > m_pages - first) {
      return false;
    }
    for (std::uint64_t page = first; page < first + count; ++page) {
      if (m_bits[page]) {
        return false;
      }
      m_bits[page] = true;
    }
    return true;
  }

  [[nodiscard]] bool holds(std::uint64_t page) const { return m_bits[page]; }
  [[nodiscard]] std::uint64_t pages() const { return m_pages; }

private:
  std::vector<bool> m_bits;
  std::uint64_t m_pages;
};

/// Gets everything in the order of the file. Views are valid during the call.
class Visitor : public Port {
public:
  [[nodiscard]] virtual Status on_bucket(ByteView name) = 0;
  [[nodiscard]] virtual Status on_entry(ByteView key, ByteView value) = 0;
};

/// Walks all buckets. etcd has one level of them: a bucket in a bucket, or an entry outside of
/// one, is damage. Claims the pages in `reachable`. Errors: those of inspect() and of `visitor`.
[[nodiscard]] Status walk_buckets(const PageFile& file,
                                  PageMap& reachable,
                                  const InspectLimits& limits,
                                  const std::stop_token& stop,
                                  Visitor& visitor);

/// Walks the bucket of that name alone, and reads little else; nothing where there is none. Errors:
/// those of walk_buckets().
[[nodiscard]] Status walk_bucket(const PageFile& file,
                                 std::string_view name,
                                 const InspectLimits& limits,
                                 const std::stop_token& stop,
                                 Visitor& visitor);

/// Claims the pages of the freelist in `reachable`, where the file has one, and compares
/// the two: no page is both free and in use, and none is neither. Call it after walk_buckets.
[[nodiscard]] Status check_freelist(const PageFile& file, PageMap& reachable);

} // namespace rb::etcd
