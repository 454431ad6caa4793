// Hostile signature and public key files: refused or taken, never a crash; what is taken is written
// and read back as the same, and holds for nothing that its key did not sign.
#include "sign/minisign.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rb::sign;
  const std::string_view text = rb::as_text(rb::ByteView(data, size));
  if (const auto key = PublicKey::parse(text)) {
    const auto again = PublicKey::parse(key->file());
    if (!again || !(*again == *key) || key->line().size() != 56) {
      std::abort();
    }
  }
  if (const auto signature = parse_signature(text)) {
    const auto again = parse_signature(serialize(*signature));
    if (!again || !(*again == *signature)) {
      std::abort();
    }
    PublicKey::Raw raw{};
    raw[0] = 9; // the base point of Curve25519: nobody signs with it here
    if (verifies(*signature, blake2b_512(rb::ByteView(data, size)), PublicKey({}, raw))) {
      std::abort();
    }
  }
  return 0;
}
