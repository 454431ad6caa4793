// A header that parses marshals to the same bytes; no input makes the parser fail otherwise.
#include "age/header.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = rb::as_text({data, size});
  if (const auto header = rb::age::parse_header(text)) {
    if (rb::age::marshal(*header) != text || !text.starts_with(rb::age::mac_covered(text))) {
      std::abort();
    }
  }
  return 0;
}
