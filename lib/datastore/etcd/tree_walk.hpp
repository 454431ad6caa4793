// Walks the B+ trees of a bbolt file in key order and checks on the way what `bbolt check`
// checks: every page once, keys in order, every key within the range that its parent gives.
// Private to this room.
#pragma once

#include "datastore/etcd/pages.hpp"

#include "base/port.hpp"

#include <cstdint>
#include <vector>

namespace rb::etcd {

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
    m_claimed += count;
    return true;
  }

  [[nodiscard]] bool holds(std::uint64_t page) const { return m_bits[page]; }
  [[nodiscard]] std::uint64_t pages() const { return m_pages; }
  [[nodiscard]] std::uint64_t claimed() const { return m_claimed; }

private:
  std::vector<bool> m_bits;
  std::uint64_t m_pages;
  std::uint64_t m_claimed = 0;
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

/// Claims the pages of the freelist in `reachable`, where the file has one, and compares
/// the two: no page is both free and in use, and none is neither. Call it after walk_buckets.
[[nodiscard]] Status check_freelist(const PageFile& file, PageMap& reachable);

} // namespace rb::etcd
