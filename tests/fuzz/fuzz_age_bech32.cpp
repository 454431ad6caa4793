// What decodes encodes to the same text, but for its case; what is a recipient prints as it was.
#include "age/bech32.hpp"
#include "age/identity.hpp"

#include <algorithm>
#include <cstdlib>

using namespace rb;
using namespace rb::age;

namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return result;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_text({data, size});
  if (const auto decoded = bech32::decode(text)) {
    if (bech32::encode(lower(decoded->prefix), decoded->data.view()).text() != lower(text)) {
      std::abort();
    }
  }
  if (const auto recipient = Recipient::parse(text)) {
    const bool commented = text.starts_with("ssh-"); // a comment does not come back
    if ((!commented && recipient->text() != text) ||
        Recipient::parse(recipient->text()).value() != *recipient) {
      std::abort();
    }
  }
  if (const auto identity = Identity::parse(text)) {
    if (identity->text().text() != text) {
      std::abort();
    }
  }
  // Any bytes can be encoded, and come back.
  const auto back = bech32::decode(bech32::encode("age", {data, size}).text());
  if (!back || !std::equal(data, data + size, back->data.data(), back->data.data() + size)) {
    std::abort();
  }
  return 0;
}
