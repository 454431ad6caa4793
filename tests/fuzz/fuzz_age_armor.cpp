// Armor of any shape: whole reads and single bytes come to the same end.
#include "age/armor.hpp"

#include <cstdlib>

using namespace rb;
using namespace rb::age;

namespace {

struct Outcome {
  bool good = false;
  bool damaged = false;
  Bytes bytes;
};

Outcome decode(ByteView text, std::size_t step) {
  MemorySource memory(text);
  BufferedSource file(memory);
  ArmorSource armor(file);
  Outcome outcome;
  Bytes buffer(step);
  for (;;) {
    const auto got = armor.read(buffer);
    if (!got) {
      break;
    }
    outcome.bytes.insert(
        outcome.bytes.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(*got));
    if (*got < step) {
      outcome.good = true;
      break;
    }
  }
  outcome.damaged = armor.damaged();
  return outcome;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Outcome whole = decode({data, size}, size + 1);
  const Outcome single = decode({data, size}, 1);
  const bool agree =
      whole.good == single.good && whole.damaged == single.damaged && whole.good != whole.damaged;
  if (!agree || (whole.good && whole.bytes != single.bytes)) {
    std::abort();
  }
  return 0;
}
