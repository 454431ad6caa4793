// A passphrase stanza of any form is refused as malformed, or tried with bounded work. The first
// line of the input is the arguments of the stanza, the rest its body.
#include "age/file_key.hpp"

#include <cstdlib>
#include <string>

using namespace rb;
using namespace rb::age;

namespace {

constexpr unsigned k_little_work = 2;

Stanza stanza_of(std::string_view text) {
  Stanza stanza;
  stanza.type = k_scrypt_type;
  const std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  while (!line.empty()) {
    const std::size_t blank = line.find(' ');
    stanza.arguments.emplace_back(line.substr(0, blank));
    line.remove_prefix(blank == std::string_view::npos ? line.size() : blank + 1);
  }
  if (end != std::string_view::npos) {
    const ByteView body = as_bytes(text.substr(end + 1));
    stanza.body.assign(body.begin(), body.end());
  }
  return stanza;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto key = unwrap_scrypt(stanza_of(as_text({data, size})), as_bytes("p"), k_little_work);
  if (!key && key.error().code != ErrorCode::corrupt) {
    std::abort();
  }
  if (key && *key) {
    std::abort(); // nobody knows the passphrase
  }
  return 0;
}
