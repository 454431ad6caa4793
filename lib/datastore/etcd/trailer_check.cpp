#include "datastore/etcd/trailer_check.hpp"

#include <algorithm>

namespace rb::etcd {

namespace {

// bbolt files are whole pages, so a snapshot is a multiple of 512 and the trailer.
constexpr std::uint64_t k_alignment = 512;

Error invalid(std::string what) {
  return {ErrorCode::corrupt,
          "etcd snapshot: " + std::move(what),
          "the snapshot is not usable: take another one, and look at the log of the k3s server"};
}

} // namespace

void TrailerCheck::update(ByteView bytes) {
  m_size_bytes += bytes.size();
  if (bytes.size() >= m_tail.size()) {
    m_hash.update(ByteView(m_tail).first(m_tail_size));
    m_hash.update(bytes.first(bytes.size() - m_tail.size()));
    std::copy_n(
        bytes.end() - static_cast<std::ptrdiff_t>(m_tail.size()), m_tail.size(), m_tail.begin());
    m_tail_size = m_tail.size();
    return;
  }
  const std::size_t joined = m_tail_size + bytes.size();
  const std::size_t surplus = joined > m_tail.size() ? joined - m_tail.size() : 0;
  m_hash.update(ByteView(m_tail).first(surplus));
  std::copy(m_tail.begin() + static_cast<std::ptrdiff_t>(surplus),
            m_tail.begin() + static_cast<std::ptrdiff_t>(m_tail_size),
            m_tail.begin());
  m_tail_size -= surplus;
  std::copy(bytes.begin(), bytes.end(), m_tail.begin() + static_cast<std::ptrdiff_t>(m_tail_size));
  m_tail_size += bytes.size();
}

Result<TrailerDigests> TrailerCheck::finish() {
  if (m_size_bytes == 0) {
    return invalid("the file is empty");
  }
  if (m_size_bytes % k_alignment != m_tail.size() || m_size_bytes == m_tail.size()) {
    return invalid("the file is truncated or has no digest (" + std::to_string(m_size_bytes) +
                   " bytes)");
  }
  TrailerDigests digests;
  digests.size_bytes = m_size_bytes;
  digests.content = m_hash.digest();
  if (digests.content != m_tail) {
    return invalid("the content does not have the digest that the file ends with");
  }
  m_hash.update(m_tail);
  digests.file = m_hash.digest();
  return digests;
}

} // namespace rb::etcd
