#include "datastore/etcd/tree_walk.hpp"

#include <array>

namespace rb::etcd {

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
