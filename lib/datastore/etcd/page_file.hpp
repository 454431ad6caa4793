// A bbolt file as pages: the meta that counts, and nodes read into buffers of bounded size.
// Private to this room.
#pragma once

#include "datastore/etcd/page.hpp"
#include "datastore/etcd/random_reader.hpp"

#include <cstdint>

namespace rb::etcd {

/// A branch or leaf page with its overflow; the bytes belong to the buffer that it was read into.
struct Node {
  PageHeader header;
  ByteView bytes;
};

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
