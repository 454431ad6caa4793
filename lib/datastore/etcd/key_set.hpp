// A set of keys in 8 to 16 bytes a key, whatever their length: their fingerprints, SipHash-2-4
// under a random key, in a table with open addressing. Private to this room.
#pragma once

#include "base/bytes.hpp"

#include <cstdint>
#include <vector>

namespace rb::etcd {

/// The key of the hash: random, not for secrecy, but so that nobody can make keys that collide.
struct SipKey {
  std::uint64_t first = 0;
  std::uint64_t second = 0;

  [[nodiscard]] static SipKey random();
};

/// Two keys share a fingerprint with a chance of n²/2^65: 2·10^-7 for two million.
class KeySet {
public:
  /// `limit` is the largest number of keys that are held.
  KeySet(const SipKey& sip_key, std::size_t limit);

  /// Takes part of the keys only: those whose fingerprint ends with `part` in its lowest `bits`.
  void choose_part(unsigned bits, std::uint64_t part);

  enum class Change { none, added, removed, not_ours, full };

  Change insert(ByteView key);
  Change erase(ByteView key);
  [[nodiscard]] std::size_t size() const { return m_size; }

private:
  [[nodiscard]] std::uint64_t fingerprint(ByteView key) const;
  [[nodiscard]] bool ours(std::uint64_t print) const;
  [[nodiscard]] std::size_t home(std::uint64_t print) const;
  [[nodiscard]] std::size_t find(std::uint64_t print) const;
  void grow();

  std::vector<std::uint64_t> m_slots; ///< 0: empty. The size is a power of two.
  std::size_t m_size = 0;
  std::size_t m_limit;
  SipKey m_sip_key;
  std::uint64_t m_part_mask = 0;
  std::uint64_t m_part = 0;
};

/// SipHash-2-4 (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012).
[[nodiscard]] std::uint64_t siphash(const SipKey& key, ByteView bytes);

} // namespace rb::etcd
