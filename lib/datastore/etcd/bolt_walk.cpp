#include "datastore/etcd/bolt.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <utility>

namespace rb::etcd {

namespace {

constexpr unsigned k_depth_limit = 24; ///< Levels of a tree.

using OnLeafElement = std::function<Status(const LeafElement&)>;

bool less(ByteView left, ByteView right) {
  return std::lexicographical_compare(left.begin(), left.end(), right.begin(), right.end());
}

/// From `low` (inclusive) to `high` (exclusive); absent means no bound.
struct Range {
  std::optional<ByteView> low;
  std::optional<ByteView> high;
};

/// Whether `key` may follow `previous` within `range`.
bool in_order(ByteView key, const std::optional<ByteView>& previous, const Range& range) {
  const bool after_previous =
      previous ? less(*previous, key) : !range.low || !less(key, *range.low);
  return after_previous && (!range.high || less(key, *range.high));
}

Error bad_element(std::uint64_t page, std::size_t index) {
  return corrupt_page(page, "element " + std::to_string(index) + " does not lie within it");
}

Error bad_order(std::uint64_t page, std::size_t index) {
  return corrupt_page(page, "the key of element " + std::to_string(index) + " is out of order");
}

/// One tree: a bucket, or the bucket of the buckets.
class TreeWalk {
public:
  TreeWalk(const PageFile& file,
           PageMap& reachable,
           const InspectLimits& limits,
           const std::stop_token& stop,
           OnLeafElement on_element)
      : m_file(file), m_reachable(reachable), m_limits(limits), m_stop(stop),
        m_on_element(std::move(on_element)) {}

  Status walk(std::uint64_t page, const Range& range = {}, unsigned depth = 0) {
    if (m_stop.stop_requested()) {
      return Error{ErrorCode::cancelled, "etcd snapshot: stopped while it was read", {}};
    }
    if (depth >= k_depth_limit) {
      return corrupt_page(page, "lies too deep in its tree");
    }
    RB_TRY_ASSIGN(const Node node,
                  m_file.node(page, m_buffer, m_limits.branch_bytes, m_limits.node_bytes));
    if (!m_reachable.claim(page, std::uint64_t{node.header.overflow} + 1)) {
      return corrupt_page(page, "is used twice");
    }
    if (node.header.kind == PageKind::leaf) {
      return leaf(node, range);
    }
    // Of leaves there is one at a time, of branches one a level.
    const Bytes kept = std::exchange(m_buffer, {});
    return branch({node.header, kept}, range, depth);
  }

  Status leaf(const Node& node, const Range& range) {
    std::optional<ByteView> previous;
    const std::uint8_t* free_from = node.bytes.data();
    for (std::size_t i = 0; i < node.header.count; ++i) {
      const auto element = leaf_element(node.bytes, i);
      // Elements that share bytes would let a small file hold a huge database.
      if (!element || element->key.data() < free_from) {
        return bad_element(node.header.id, i);
      }
      free_from = element->value.data() + element->value.size();
      if (!in_order(element->key, previous, range)) {
        return bad_order(node.header.id, i);
      }
      RB_TRY(m_on_element(*element));
      previous = element->key;
    }
    return {};
  }

private:
  Status branch(const Node& node, const Range& range, unsigned depth) {
    if (node.header.count == 0) {
      return corrupt_page(node.header.id, "is a branch without children");
    }
    std::optional<ByteView> previous;
    const std::uint8_t* free_from = node.bytes.data();
    for (std::size_t i = 0; i < node.header.count; ++i) {
      const auto element = branch_element(node.bytes, i);
      if (!element) {
        return bad_element(node.header.id, i);
      }
      if (!in_order(element->key, previous, range)) {
        return bad_order(node.header.id, i);
      }
      Range below{element->key, range.high};
      if (i + 1U < node.header.count) {
        const auto next = branch_element(node.bytes, i + 1);
        if (!next) {
          return bad_element(node.header.id, i + 1);
        }
        below.high = next->key;
      }
      if (element->key.data() < free_from) {
        return bad_element(node.header.id, i);
      }
      free_from = element->key.data() + element->key.size();
      RB_TRY(walk(element->child, below, depth + 1));
      previous = element->key;
    }
    return {};
  }

  const PageFile& m_file;
  PageMap& m_reachable;
  const InspectLimits& m_limits;
  const std::stop_token& m_stop;
  OnLeafElement m_on_element;
  Bytes m_buffer;
};

Error bad_bucket(ByteView name, const std::string& what) {
  // Bucket names of etcd are words; anything else would not be fit to print.
  const std::string text(as_text(name));
  const bool printable = text.size() <= 32 && std::all_of(text.begin(), text.end(), [](char c) {
                           return c > ' ' && c < 0x7f;
                         });
  return damaged("bucket " + (printable ? text : "with a strange name") + ": " + what);
}

/// A small bucket lies in the value itself, as a leaf page after the bucket header.
Status walk_inline(TreeWalk& tree, ByteView name, ByteView value) {
  const ByteView page = value.subspan(k_bucket_header_bytes);
  if (page.size() < k_page_header_bytes) {
    return bad_bucket(name, "is cut off");
  }
  const PageHeader header = decode_page_header(page);
  if (header.kind != PageKind::leaf) {
    return bad_bucket(name, "does not hold a leaf");
  }
  return tree.leaf({header, page}, {});
}

/// All of them, or the one that is `wanted`.
Status walk_some(const PageFile& file,
                 PageMap& reachable,
                 const InspectLimits& limits,
                 const std::stop_token& stop,
                 Visitor& visitor,
                 std::optional<std::string_view> wanted) {
  ByteView current;
  TreeWalk entries(file, reachable, limits, stop, [&](const LeafElement& element) -> Status {
    return element.is_bucket ? bad_bucket(current, "has a bucket in it, and etcd makes none")
                             : visitor.on_entry(element.key, element.value);
  });
  TreeWalk buckets(file, reachable, limits, stop, [&](const LeafElement& element) -> Status {
    current = element.key;
    if (wanted && as_text(current) != *wanted) {
      return {};
    }
    if (!element.is_bucket || element.value.size() < k_bucket_header_bytes) {
      return bad_bucket(current, "is not a bucket");
    }
    RB_TRY(visitor.on_bucket(element.key));
    const std::uint64_t root = load_u64(element.value, 0);
    return root == 0 ? walk_inline(entries, element.key, element.value) : entries.walk(root);
  });
  if (!reachable.claim(0, 2)) {
    return corrupt_page(0, "no room for two meta pages");
  }
  return buckets.walk(file.meta().root);
}

} // namespace

Status walk_buckets(const PageFile& file,
                    PageMap& reachable,
                    const InspectLimits& limits,
                    const std::stop_token& stop,
                    Visitor& visitor) {
  return walk_some(file, reachable, limits, stop, visitor, std::nullopt);
}

Status walk_bucket(const PageFile& file,
                   std::string_view name,
                   const InspectLimits& limits,
                   const std::stop_token& stop,
                   Visitor& visitor) {
  PageMap reachable(file.meta().high_water);
  return walk_some(file, reachable, limits, stop, visitor, name);
}

Status check_freelist(const PageFile& file, PageMap& reachable) {
  constexpr std::uint16_t count_is_in_first_id = 0xFFFF;
  const std::uint64_t page = file.meta().freelist;
  if (page == k_no_freelist) {
    return {};
  }
  RB_TRY_ASSIGN(const PageHeader header, file.header(page));
  if (header.kind != PageKind::freelist) {
    return corrupt_page(page, "is not a freelist");
  }
  if (!reachable.claim(page, std::uint64_t{header.overflow} + 1)) {
    return corrupt_page(page, "is used twice");
  }
  std::array<std::uint8_t, 8> id{};
  std::uint64_t offset = k_page_header_bytes;
  std::uint64_t count = header.count;
  if (header.count == count_is_in_first_id) {
    RB_TRY(file.read(page, offset, id));
    count = load_u64(id, 0);
    offset += id.size();
  }
  const std::uint64_t room =
      (std::uint64_t{header.overflow} + 1) * file.meta().page_size_bytes - offset;
  if (count > room / id.size()) {
    return corrupt_page(page, "is a freelist longer than its pages");
  }
  PageMap free(reachable.pages());
  for (std::uint64_t i = 0; i < count; ++i, offset += id.size()) {
    RB_TRY(file.read(page, offset, id));
    const std::uint64_t freed = load_u64(id, 0);
    if (!free.claim(freed, 1)) {
      return corrupt_page(freed, "is free twice or out of range");
    }
  }
  for (std::uint64_t each = 0; each < reachable.pages(); ++each) {
    if (reachable.holds(each) == free.holds(each)) {
      return corrupt_page(each,
                          free.holds(each) ? "is free and in use" : "is neither free nor used");
    }
  }
  return {};
}

} // namespace rb::etcd
