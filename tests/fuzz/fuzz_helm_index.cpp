// The index of a Helm artifact that somebody else packed: what is taken makes commands of single
// lines, in which every word is quoted, or comments.
#include "set/helm_command.hpp"
#include "terminal/terminal_text.hpp"

#include "base/bytes.hpp"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto index = rb::helm::parse_index(rb::as_text(rb::ByteView(data, size)));
  if (!index) {
    return 0;
  }
  for (const auto& release : index->releases) {
    const rb::set::HelmCommand command = rb::set::helm_command(release, "/to");
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
