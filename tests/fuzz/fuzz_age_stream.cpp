// Files of any shape through decrypt(), and payloads of any shape through the STREAM reader: the
// sum of what is released is what is reported, and one thread and two come to the same end.
#include "age/file.hpp"
#include "age/payload.hpp"

#include <cstdlib>
#include <vector>

using namespace rb;
using namespace rb::age;

namespace {

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

const std::vector<Identity>& identities() {
  static const std::vector<Identity> made = [] {
    std::vector<Identity> one;
    one.push_back(Identity::parse("AGE-SECRET-KEY-"
                                  "1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0")
                      .value());
    return one;
  }();
  return made;
}

struct Outcome {
  Result<std::uint64_t> bytes = std::uint64_t{0};
  Bytes released;
};

Outcome open_raw(ByteView payload, unsigned threads) {
  static const Bytes key(32, 0x55);
  Outcome outcome;
  MemorySource source(payload);
  BytesSink sink(outcome.released);
  StreamOptions options;
  options.threads = threads;
  outcome.bytes = open_payload(source, sink, key, options).plaintext_bytes;
  return outcome;
}

/// Seals, spoils one byte where the input says, and opens: must fail.
void check_spoilt(ByteView plain) {
  static const Bytes key(32, 0x55);
  Bytes sealed;
  MemorySource source(plain);
  BytesSink sink(sealed);
  require(seal_payload(source, sink, key, {}).has_value());
  const Outcome good = open_raw(sealed, 1);
  require(good.bytes.has_value() && ByteView(good.released).size() == plain.size());
  std::size_t at = 0;
  for (const std::uint8_t byte : plain) {
    at = at * 31 + byte;
  }
  sealed[at % sealed.size()] ^= 1;
  require(!open_raw(sealed, 1).bytes.has_value());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  MemorySource source(input);
  Bytes released;
  BytesSink sink(released);
  DecryptFailure failure = DecryptFailure::none;
  const auto result = decrypt(source, sink, identities(), {}, &failure);
  require(result.has_value() == (failure == DecryptFailure::none));
  const Outcome one = open_raw(input, 1);
  const Outcome two = open_raw(input, 2);
  require(!one.bytes || *one.bytes == one.released.size());
  require(one.bytes.has_value() == two.bytes.has_value() && one.released == two.released);
  require(one.bytes.has_value() || one.bytes.error().message == two.bytes.error().message);
  check_spoilt(input);
  return 0;
}
