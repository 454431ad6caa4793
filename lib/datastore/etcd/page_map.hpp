// Which pages of a database have been claimed: one bit a page. Private to this room.
#pragma once

#include <cstdint>
#include <vector>

namespace rb::etcd {

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

} // namespace rb::etcd
