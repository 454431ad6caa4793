// What is alive in the key space: the number of keys, objects by kind, bootstrap keys. Fed with
// puts and tombstones in the order of revisions, in 8 to 16 bytes a key, whatever their length.
// For the rooms of the datastores.
#pragma once

#include "datastore/keys/copy.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace rb::datastore {

/// The key of the hash: random, not for secrecy, but so that nobody can make keys that collide.
struct SipKey {
  std::uint64_t first = 0;
  std::uint64_t second = 0;

  [[nodiscard]] static SipKey random();
};

/// A set of keys by their fingerprints, SipHash-2-4 under a random key, in a table with open
/// addressing. Two keys share a fingerprint with a chance of n²/2^65: 2·10^-7 for two million.
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

/// So many bits that a part of the revisions fits into `limit` keys with room to spare.
[[nodiscard]] unsigned part_bits(std::uint64_t revisions, std::size_t limit);

class LiveKeys {
public:
  LiveKeys(const SipKey& sip_key, std::size_t limit) : m_keys(sip_key, limit) {}

  /// See KeySet::choose_part.
  void choose_part(unsigned bits, std::uint64_t part) { m_keys.choose_part(bits, part); }

  void put(ByteView key);
  void remove(ByteView key);

  /// There were more keys than the limit: the numbers mean nothing.
  [[nodiscard]] bool overflowed() const { return m_overflowed; }

  /// Adds what is alive to the totals of `info`.
  void add_to(CopyFacts& info) const;

private:
  void count(ByteView key, bool added);

  KeySet m_keys;
  std::map<std::string, std::uint64_t> m_objects;
  std::set<std::string> m_bootstrap;
  bool m_overflowed = false;
};

} // namespace rb::datastore
