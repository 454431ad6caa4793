// The index of a Helm artifact that somebody else packed: what is taken makes commands of single
// lines, in which every word is quoted.
#include "unpack/helm_index.hpp"

#include "base/bytes.hpp"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto index = rb::unpack::parse_helm_index(rb::as_text(rb::ByteView(data, size)));
  if (!index) {
    return 0;
  }
  for (const auto& release : index->releases) {
    const std::string command = rb::unpack::upgrade_command(release, "/to");
    if (command.find('\n') != std::string::npos || command.find('\0') != std::string::npos) {
      std::abort();
    }
  }
  return 0;
}
