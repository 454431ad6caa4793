#include "datastore/keys/live_keys.hpp"

#include "datastore/keys/keys.hpp"

#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace rb::datastore {

namespace {

struct State {
  std::uint64_t v0, v1, v2, v3;

  void round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }

  void absorb(std::uint64_t word) {
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  }
};

constexpr std::size_t k_first_slots = 1024;

constexpr std::size_t k_bootstrap_limit = 64;

} // namespace

std::uint64_t siphash(const SipKey& key, ByteView bytes) {
  State state{key.first ^ 0x736f6d6570736575,
              key.second ^ 0x646f72616e646f6d,
              key.first ^ 0x6c7967656e657261,
              key.second ^ 0x7465646279746573};
  std::uint64_t last = std::uint64_t{bytes.size()} << 56U;
  while (bytes.size() >= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), 8);
    state.absorb(word);
    bytes = bytes.subspan(8);
  }
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    last |= std::uint64_t{bytes[i]} << (8 * i);
  }
  state.absorb(last);
  state.v2 ^= 0xFF;
  for (int i = 0; i < 4; ++i) {
    state.round();
  }
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

SipKey SipKey::random() {
  SipKey key;
  // Fails for a bad buffer only; the fixed key that would be left counts correctly, too.
  [[maybe_unused]] const int result = ::getentropy(&key, sizeof key);
  return key;
}

KeySet::KeySet(const SipKey& sip_key, std::size_t limit)
    : m_slots(k_first_slots), m_limit(limit), m_sip_key(sip_key) {}

void KeySet::choose_part(unsigned bits, std::uint64_t part) {
  m_part_mask = (std::uint64_t{1} << bits) - 1;
  m_part = part;
}

std::uint64_t KeySet::fingerprint(ByteView key) const {
  const std::uint64_t print = siphash(m_sip_key, key);
  return print == 0 ? 1 : print;
}

bool KeySet::ours(std::uint64_t print) const {
  return (print & m_part_mask) == m_part;
}

// The upper half: the lowest bits are the same for all keys of a part.
std::size_t KeySet::home(std::uint64_t print) const {
  return static_cast<std::size_t>(print >> 32U) & (m_slots.size() - 1);
}

/// Where `print` is, or the empty slot where it would go.
std::size_t KeySet::find(std::uint64_t print) const {
  std::size_t slot = home(print);
  while (m_slots[slot] != 0 && m_slots[slot] != print) {
    slot = (slot + 1) & (m_slots.size() - 1);
  }
  return slot;
}

void KeySet::grow() {
  std::vector<std::uint64_t> old(m_slots.size() * 2);
  old.swap(m_slots);
  for (const std::uint64_t print : old) {
    if (print != 0) {
      m_slots[find(print)] = print;
    }
  }
}

KeySet::Change KeySet::insert(ByteView key) {
  const std::uint64_t print = fingerprint(key);
  if (!ours(print)) {
    return Change::not_ours;
  }
  if (m_slots[find(print)] != 0) {
    return Change::none;
  }
  if (m_size == m_limit) {
    return Change::full;
  }
  if (m_size >= m_slots.size() / 4 * 3) {
    grow();
  }
  m_slots[find(print)] = print;
  ++m_size;
  return Change::added;
}

KeySet::Change KeySet::erase(ByteView key) {
  const std::uint64_t print = fingerprint(key);
  if (!ours(print)) {
    return Change::not_ours;
  }
  std::size_t hole = find(print);
  if (m_slots[hole] == 0) {
    return Change::none;
  }
  // Entries behind the hole move up, unless that would put them before their home.
  const std::size_t mask = m_slots.size() - 1;
  for (std::size_t slot = (hole + 1) & mask; m_slots[slot] != 0; slot = (slot + 1) & mask) {
    const std::size_t from_home = (slot - home(m_slots[slot])) & mask;
    const std::size_t from_hole = (slot - hole) & mask;
    if (from_home >= from_hole) {
      m_slots[hole] = m_slots[slot];
      hole = slot;
    }
  }
  m_slots[hole] = 0;
  --m_size;
  return Change::removed;
}

unsigned part_bits(std::uint64_t revisions, std::size_t limit) {
  unsigned bits = 1;
  while (bits < 32 && (revisions >> bits) > limit / 4 * 3) {
    ++bits;
  }
  return bits;
}

void LiveKeys::put(ByteView key) {
  const KeySet::Change change = m_keys.insert(key);
  m_overflowed = m_overflowed || change == KeySet::Change::full;
  if (change == KeySet::Change::added) {
    count(key, true);
  }
}

void LiveKeys::remove(ByteView key) {
  if (m_keys.erase(key) == KeySet::Change::removed) {
    count(key, false);
  }
}

void LiveKeys::count(ByteView key, bool added) {
  if (const auto hash = bootstrap_hash(as_text(key))) {
    if (!added) {
      m_bootstrap.erase(*hash);
    } else if (m_bootstrap.size() < k_bootstrap_limit) {
      m_bootstrap.insert(*hash);
    }
  }
  auto kind = object_kind(as_text(key));
  if (!kind) {
    return;
  }
  auto found = m_objects.find(*kind);
  if (found == m_objects.end()) {
    const bool room = added && m_objects.size() < k_kind_limit;
    found = m_objects.try_emplace(room ? *kind : std::string(k_other_kind)).first;
  }
  if (added) {
    ++found->second;
  } else if (found->second > 0) {
    --found->second;
  }
}

void LiveKeys::add_to(CopyFacts& info) const {
  info.total_keys += m_keys.size();
  for (const auto& [kind, number] : m_objects) {
    if (number > 0) {
      info.objects[kind] += number;
    }
  }
  info.bootstrap_hashes.insert(info.bootstrap_hashes.end(), m_bootstrap.begin(), m_bootstrap.end());
  std::sort(info.bootstrap_hashes.begin(), info.bootstrap_hashes.end());
}

} // namespace rb::datastore
