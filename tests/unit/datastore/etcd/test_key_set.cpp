#include "datastore/etcd/key_set.hpp"

#include <doctest/doctest.h>

#include <random>
#include <set>
#include <string>

using rb::as_bytes;
using rb::etcd::KeySet;
using rb::etcd::SipKey;
using Change = rb::etcd::KeySet::Change;

TEST_CASE("siphash gives the value of its paper, appendix A") {
  rb::Bytes message(15);
  for (std::size_t i = 0; i < message.size(); ++i) {
    message[i] = static_cast<std::uint8_t>(i);
  }
  const SipKey key{0x0706050403020100, 0x0f0e0d0c0b0a0908};
  CHECK(rb::etcd::siphash(key, message) == 0xa129ca6149be45e5);
}

TEST_CASE("KeySet behaves like a set of strings") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  KeySet keys(SipKey::random(), 100'000);
  std::set<std::string> model;
  for (int step = 0; step < 60'000; ++step) {
    const std::string key = "/registry/pods/" + std::to_string(random() % 5000);
    if (random() % 3 == 0) {
      CHECK((keys.erase(as_bytes(key)) == Change::removed) == (model.erase(key) == 1));
    } else {
      CHECK((keys.insert(as_bytes(key)) == Change::added) == model.insert(key).second);
    }
    REQUIRE(keys.size() == model.size());
  }
}

TEST_CASE("KeySet holds no more than its limit, and says so") {
  KeySet keys(SipKey::random(), 3);
  CHECK(keys.insert(as_bytes("a")) == Change::added);
  CHECK(keys.insert(as_bytes("b")) == Change::added);
  CHECK(keys.insert(as_bytes("c")) == Change::added);
  CHECK(keys.insert(as_bytes("d")) == Change::full);
  CHECK(keys.insert(as_bytes("a")) == Change::none);
  CHECK(keys.erase(as_bytes("d")) == Change::none);
  CHECK(keys.size() == 3);
}

TEST_CASE("KeySet: the parts of one random key hold every key exactly once") {
  const SipKey sip_key = SipKey::random();
  std::size_t together = 0;
  for (std::uint64_t part = 0; part < 8; ++part) {
    KeySet keys(sip_key, 1000);
    keys.choose_part(3, part);
    for (int i = 0; i < 1000; ++i) {
      keys.insert(as_bytes(std::to_string(i)));
    }
    together += keys.size();
  }
  CHECK(together == 1000);
}
