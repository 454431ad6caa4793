#include "datastore/keys/keys.hpp"
#include "datastore/keys/live_keys.hpp"

#include <doctest/doctest.h>

#include <random>
#include <set>
#include <string>

using rb::as_bytes;
using rb::datastore::KeySet;
using rb::datastore::SipKey;
using Change = rb::datastore::KeySet::Change;
using namespace rb;
using namespace rb::datastore;

TEST_CASE("siphash gives the value of its paper, appendix A") {
  rb::Bytes message(15);
  for (std::size_t i = 0; i < message.size(); ++i) {
    message[i] = static_cast<std::uint8_t>(i);
  }
  const SipKey key{0x0706050403020100, 0x0f0e0d0c0b0a0908};
  CHECK(rb::datastore::siphash(key, message) == 0xa129ca6149be45e5);
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

TEST_CASE("LiveKeys counts what is alive at the end") {
  LiveKeys live(SipKey::random(), 100);
  live.put(as_bytes("/registry/pods/default/a"));
  live.put(as_bytes("/registry/pods/default/a"));
  live.put(as_bytes("/registry/pods/default/b"));
  live.put(as_bytes("/bootstrap/aaaaaaaaaaaa"));
  live.put(as_bytes("/bootstrap/bbbbbbbbbbbb"));
  live.remove(as_bytes("/registry/pods/default/b"));
  live.remove(as_bytes("/registry/pods/default/never"));
  live.remove(as_bytes("/bootstrap/aaaaaaaaaaaa"));
  CopyFacts info;
  live.add_to(info);
  CHECK(info.total_keys == 2);
  CHECK(info.objects == std::map<std::string, std::uint64_t>{{"pods", 1}});
  CHECK(info.bootstrap_hashes == std::vector<std::string>{"bbbbbbbbbbbb"});
}

TEST_CASE("LiveKeys bounds the number of kinds") {
  LiveKeys live(SipKey::random(), 10'000);
  for (int i = 0; i < 6000; ++i) {
    live.put(as_bytes("/registry/kind" + std::to_string(i) + "/x"));
  }
  CopyFacts info;
  live.add_to(info);
  CHECK(info.total_keys == 6000);
  CHECK(info.objects.size() == k_kind_limit + 1);
  CHECK(info.objects.at("(other)") == 6000 - k_kind_limit);
}
