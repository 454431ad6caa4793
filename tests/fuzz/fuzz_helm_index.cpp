// The index of a Helm artifact that somebody else packed: what is taken makes commands of single
// lines, in which every word is quoted, or comments.
#include "unpack/helm_command.hpp"

#include "base/bytes.hpp"
#include "base/terminal_text.hpp"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto index = rb::helm::parse_index(rb::as_text(rb::ByteView(data, size)));
  if (!index) {
    return 0;
  }
  for (const auto& release : index->releases) {
    const rb::unpack::HelmCommand command = rb::unpack::helm_command(release, "/to");
    for (const std::string& line : {command.line, command.note}) {
      if (rb::terminal_text(line) != line) {
        std::abort();
      }
    }
    if (!command.line.empty() && !command.line.starts_with("helm upgrade --install ")) {
      std::abort();
    }
  }
  return 0;
}
