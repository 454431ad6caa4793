#include "support/bolt_builder.hpp"

#include "base/digest.hpp"

#include <algorithm>
#include <cstring>

namespace rb::test {

namespace {

constexpr std::size_t k_header_bytes = 16;
constexpr std::uint16_t k_branch = 1;
constexpr std::uint16_t k_leaf = 2;
constexpr std::uint16_t k_meta = 4;
constexpr std::uint16_t k_freelist = 0x10;
constexpr std::uint64_t k_no_freelist = ~std::uint64_t{0};

struct Item {
  std::uint32_t flags = 0;
  std::uint64_t child = 0;
  std::string key;
  std::string value;
};

template <typename Number> void store(Bytes& bytes, std::size_t offset, Number number) {
  std::memcpy(bytes.data() + offset, &number, sizeof number);
}

template <typename Number> std::string raw(Number number) {
  std::string text(sizeof number, '\0');
  std::memcpy(text.data(), &number, sizeof number);
  return text;
}

/// A page with its elements, as long as it needs to be.
Bytes page_bytes(std::uint64_t id, std::uint16_t flags, const std::vector<Item>& items) {
  Bytes page(k_header_bytes * (1 + items.size()));
  store(page, 0, id);
  store(page, 8, flags);
  store(page, 10, static_cast<std::uint16_t>(items.size()));
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Item& item = items[i];
    const std::size_t element = k_header_bytes * (1 + i);
    const auto position = static_cast<std::uint32_t>(page.size() - element);
    const auto key_size = static_cast<std::uint32_t>(item.key.size());
    if (flags == k_branch) {
      store(page, element, position);
      store(page, element + 4, key_size);
      store(page, element + 8, item.child);
    } else {
      store(page, element, item.flags);
      store(page, element + 4, position);
      store(page, element + 8, key_size);
      store(page, element + 12, static_cast<std::uint32_t>(item.value.size()));
    }
    page.insert(page.end(), item.key.begin(), item.key.end());
    page.insert(page.end(), item.value.begin(), item.value.end());
  }
  return page;
}

class Builder {
public:
  explicit Builder(const BoltOptions& options) : m_options(options) {
    m_file.resize(std::size_t{2} * options.page_size_bytes);
  }

  /// Appends a page and its overflow; returns its id.
  std::uint64_t append(std::uint16_t flags, const std::vector<Item>& items) {
    const std::uint64_t id = m_file.size() / m_options.page_size_bytes;
    Bytes page = page_bytes(id, flags, items);
    const std::size_t pages =
        (page.size() + m_options.page_size_bytes - 1) / m_options.page_size_bytes;
    store(page, 12, static_cast<std::uint32_t>(pages - 1));
    page.resize(pages * m_options.page_size_bytes);
    m_file.insert(m_file.end(), page.begin(), page.end());
    return id;
  }

  /// A tree of one or two levels.
  std::uint64_t tree(const std::vector<Item>& items) {
    if (items.size() <= m_options.leaf_entries) {
      return append(k_leaf, items);
    }
    std::vector<Item> children;
    for (std::size_t i = 0; i < items.size(); i += m_options.leaf_entries) {
      const std::size_t end = std::min(items.size(), i + m_options.leaf_entries);
      const auto from = items.begin() + static_cast<std::ptrdiff_t>(i);
      const std::vector<Item> part(from, items.begin() + static_cast<std::ptrdiff_t>(end));
      children.push_back({0, append(k_leaf, part), part.front().key, {}});
    }
    return append(k_branch, children);
  }

  Item bucket(const std::string& name, const Entries& entries) {
    std::vector<Item> items;
    for (const auto& [key, value] : entries) {
      items.push_back({0, 0, key, value});
    }
    Item item{1, 0, name, raw(std::uint64_t{0}) + raw(std::uint64_t{0})};
    if (m_options.inline_small && entries.size() <= 3) {
      const Bytes page = page_bytes(0, k_leaf, items);
      item.value.append(page.begin(), page.end());
    } else {
      item.value = raw(tree(items)) + raw(std::uint64_t{0});
    }
    return item;
  }

  Bytes finish(std::uint64_t root) {
    std::uint64_t freelist = k_no_freelist;
    if (!m_options.freelist.empty()) {
      std::string ids;
      for (const std::uint64_t id : m_options.freelist) {
        ids += raw(id);
      }
      freelist = append(k_freelist, {});
      const std::size_t at = freelist * m_options.page_size_bytes;
      store(m_file, at + 10, static_cast<std::uint16_t>(m_options.freelist.size()));
      std::memcpy(m_file.data() + at + k_header_bytes, ids.data(), ids.size());
    }
    const std::uint64_t high_water = m_file.size() / m_options.page_size_bytes;
    for (std::uint64_t i = 0; i < 2; ++i) {
      const std::size_t at = i * m_options.page_size_bytes;
      store(m_file, at, i);
      store(m_file, at + 8, k_meta);
      store(m_file, at + 16, std::uint32_t{0xED0CDAED});
      store(m_file, at + 20, std::uint32_t{2});
      store(m_file, at + 24, m_options.page_size_bytes);
      store(m_file, at + 32, root);
      store(m_file, at + 48, freelist);
      store(m_file, at + 56, high_water);
      store(m_file, at + 64, std::uint64_t{8} - i);
    }
    set_meta_field(m_file, 16, root); // for the checksums
    return std::move(m_file);
  }

private:
  BoltOptions m_options;
  Bytes m_file;
};

std::string varint(std::uint64_t number) {
  std::string text;
  for (; number >= 0x80; number >>= 7U) {
    text.push_back(static_cast<char>(number | 0x80U));
  }
  text.push_back(static_cast<char>(number));
  return text;
}

std::string big_endian(std::uint64_t number) {
  std::string text;
  for (int shift = 56; shift >= 0; shift -= 8) {
    text.push_back(static_cast<char>(number >> static_cast<unsigned>(shift)));
  }
  return text;
}

} // namespace

Bytes make_bolt(const std::map<std::string, Entries>& buckets, const BoltOptions& options) {
  Builder builder(options);
  std::vector<Item> names;
  for (const auto& [name, entries] : buckets) {
    names.push_back(builder.bucket(name, entries));
  }
  return builder.finish(builder.tree(names));
}

Bytes with_trailer(Bytes database) {
  const Sha256Digest digest = sha256(database);
  database.insert(database.end(), digest.begin(), digest.end());
  return database;
}

std::string revision_key(std::uint64_t main, std::uint64_t sub, bool tombstone) {
  return big_endian(main) + "_" + big_endian(sub) + (tombstone ? "t" : "");
}

std::string key_value(const std::string& key, const std::string& value) {
  return "\x0a" + varint(key.size()) + key + "\x10\x07\x18\x07\x20\x01\x2a" + varint(value.size()) +
         value;
}

std::map<std::string, Entries> etcd_buckets(Entries revisions) {
  return {{"alarm", {}},
          {"auth", {{"authRevision", std::string(8, '\0')}}},
          {"cluster", {{"clusterVersion", "3.6.0"}}},
          {"key", std::move(revisions)},
          {"members", {}},
          {"meta", {{"consistent_index", big_endian(9)}, {"storageVersion", "3.6.0"}}}};
}

void set_meta_field(Bytes& database, std::size_t offset, std::uint64_t value) {
  std::uint32_t page_size = 0;
  std::memcpy(&page_size, database.data() + k_header_bytes + 8, sizeof page_size);
  for (std::size_t i = 0; i < 2; ++i) {
    const std::size_t meta = i * page_size + k_header_bytes;
    store(database, meta + offset, value);
    std::uint64_t hash = 0xcbf29ce484222325;
    for (std::size_t at = meta; at < meta + 56; ++at) {
      hash = (hash ^ database[at]) * 0x100000001b3;
    }
    store(database, meta + 56, hash);
  }
}

} // namespace rb::test
