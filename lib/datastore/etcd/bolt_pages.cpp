#include "datastore/etcd/bolt.hpp"

#include <array>
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
constexpr std::size_t k_element_bytes = 16;
constexpr std::size_t k_meta_bytes = 64;
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

/// The meta record after a page header; absent when magic, version, FNV-1a checksum or page size
/// (a power of two, 512 to 65536) is wrong. `bytes` holds at least k_meta_bytes.
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

Error not_a_database(const std::string& what) {
  return {ErrorCode::corrupt,
          "etcd snapshot: " + what,
          "the file is damaged, or it is not an etcd snapshot"};
}

/// The meta record of the page at `offset`; absent when there is none that is valid.
Result<std::optional<Meta>> meta_at(RandomReader& reader, std::uint64_t offset) {
  std::array<std::uint8_t, k_page_header_bytes + k_meta_bytes> buffer{};
  if (reader.size() < buffer.size() || offset > reader.size() - buffer.size()) {
    return std::optional<Meta>();
  }
  RB_TRY(reader.read(offset, buffer));
  return decode_meta(ByteView(buffer).subspan(k_page_header_bytes));
}

/// As bbolt does it: the first meta page tells the page size, else the second one is looked for
/// at every size that a page may have.
Result<std::optional<Meta>> newest_meta(RandomReader& reader) {
  RB_TRY_ASSIGN(const std::optional<Meta> first, meta_at(reader, 0));
  if (first) {
    RB_TRY_ASSIGN(const std::optional<Meta> second, meta_at(reader, first->page_size_bytes));
    return second && second->transaction > first->transaction ? second : first;
  }
  for (std::uint64_t size = k_smallest_page; size <= k_largest_page; size *= 2) {
    RB_TRY_ASSIGN(const std::optional<Meta> second, meta_at(reader, size));
    if (second && second->page_size_bytes == size) {
      return second;
    }
  }
  return std::optional<Meta>();
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

Error damaged(const std::string& what) {
  return {
      ErrorCode::corrupt, "etcd snapshot: " + what, "the snapshot is damaged: take another one"};
}

Error corrupt_page(std::uint64_t page, const std::string& what) {
  return damaged("page " + std::to_string(page) + ": " + what);
}

Result<PageFile> PageFile::open(RandomReader& reader) {
  RB_TRY_ASSIGN(const std::optional<Meta> meta, newest_meta(reader));
  if (!meta) {
    return not_a_database("no valid meta page");
  }
  const std::uint64_t pages_there = reader.size() / meta->page_size_bytes;
  if (meta->high_water > pages_there) {
    return not_a_database("it ends after " + std::to_string(pages_there) + " of " +
                          std::to_string(meta->high_water) + " pages");
  }
  if (meta->root < 2 || meta->root >= meta->high_water) {
    return not_a_database("its root page " + std::to_string(meta->root) + " is out of range");
  }
  return PageFile(reader, *meta);
}

Status PageFile::check_header(std::uint64_t page, const PageHeader& header) const {
  if (header.id != page) {
    return corrupt_page(page, "says that it is page " + std::to_string(header.id));
  }
  if (header.overflow >= m_meta.high_water - page) {
    return corrupt_page(page, "goes on past the end of the file");
  }
  return {};
}

Result<PageHeader> PageFile::header(std::uint64_t page) const {
  std::array<std::uint8_t, k_page_header_bytes> buffer{};
  RB_TRY(read(page, 0, buffer));
  const PageHeader header = decode_page_header(buffer);
  RB_TRY(check_header(page, header));
  return header;
}

Result<Node> PageFile::node(std::uint64_t page,
                            Bytes& buffer,
                            std::uint32_t branch_limit_bytes,
                            std::uint32_t leaf_limit_bytes) const {
  // Most nodes are one page: one read.
  buffer.resize(m_meta.page_size_bytes);
  RB_TRY(read(page, 0, buffer));
  const PageHeader head = decode_page_header(buffer);
  RB_TRY(check_header(page, head));
  if (head.kind != PageKind::branch && head.kind != PageKind::leaf) {
    return corrupt_page(page, "is neither a branch nor a leaf");
  }
  const std::uint64_t size_bytes = (std::uint64_t{head.overflow} + 1) * m_meta.page_size_bytes;
  if (size_bytes > (head.kind == PageKind::branch ? branch_limit_bytes : leaf_limit_bytes)) {
    return Error{ErrorCode::unsupported,
                 "etcd snapshot: page " + std::to_string(page) + ": a node of " +
                     std::to_string(size_bytes) + " bytes",
                 {}};
  }
  buffer.resize(static_cast<std::size_t>(size_bytes));
  RB_TRY(
      read(page, m_meta.page_size_bytes, MutableByteView(buffer).subspan(m_meta.page_size_bytes)));
  return Node{head, buffer};
}

Status PageFile::read(std::uint64_t page, std::uint64_t offset, MutableByteView buffer) const {
  if (page < 2 || page >= m_meta.high_water) {
    return corrupt_page(page, "out of range");
  }
  if (buffer.empty()) {
    return {};
  }
  return m_reader->read(page * m_meta.page_size_bytes + offset, buffer);
}

} // namespace rb::etcd
