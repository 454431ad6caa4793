#include "datastore/etcd/key_set.hpp"

#include <unistd.h>

namespace rb::etcd {

namespace {

constexpr std::size_t k_first_slots = 1024;

} // namespace

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

} // namespace rb::etcd
