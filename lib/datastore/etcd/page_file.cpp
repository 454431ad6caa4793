#include "datastore/etcd/page_file.hpp"

#include <array>
#include <optional>

namespace rb::etcd {

namespace {

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
  for (std::uint64_t size = 512; size <= 65536; size *= 2) {
    RB_TRY_ASSIGN(const std::optional<Meta> second, meta_at(reader, size));
    if (second && second->page_size_bytes == size) {
      return second;
    }
  }
  return std::optional<Meta>();
}

} // namespace

Error corrupt_page(std::uint64_t page, const std::string& what) {
  return {ErrorCode::corrupt,
          "etcd snapshot: page " + std::to_string(page) + ": " + what,
          "the snapshot is damaged: take another one"};
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
