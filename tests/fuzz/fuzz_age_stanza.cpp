// A stanza of any form is refused as malformed by the identities of its kind, or passed over:
// nobody has sealed a file key for them. The first line of the input is type and arguments, the
// rest the body.
#include "age/identity.hpp"
#include "age/kem.hpp"

#include <cstdlib>
#include <string>
#include <vector>

using namespace rb;
using namespace rb::age;

namespace {

Stanza stanza_of(std::string_view text) {
  Stanza stanza;
  const std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  while (!line.empty()) {
    const std::size_t blank = line.find(' ');
    const std::string word(line.substr(0, blank));
    if (stanza.type.empty()) {
      stanza.type = word;
    } else {
      stanza.arguments.push_back(word);
    }
    line.remove_prefix(blank == std::string_view::npos ? line.size() : blank + 1);
  }
  if (end != std::string_view::npos) {
    const ByteView body = as_bytes(text.substr(end + 1));
    stanza.body.assign(body.begin(), body.end());
  }
  return stanza;
}

const std::vector<Identity>& identities() {
  static const std::vector<Identity> made = [] {
    std::vector<Identity> all;
    all.emplace_back(X25519Identity::from_secret(SecretBytes(32)).value());
    all.emplace_back(SshIdentity::from_seed(SecretBytes(32)).value());
    if (has_ml_kem()) {
      all.emplace_back(HybridIdentity::from_seed(SecretBytes(32)).value());
    }
    return all;
  }();
  return made;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Stanza stanza = stanza_of(as_text({data, size}));
  for (const Identity& identity : identities()) {
    const auto key = identity.unwrap(stanza);
    if (key ? key->has_value() : key.error().code != ErrorCode::corrupt) {
      std::abort();
    }
  }
  return 0;
}
