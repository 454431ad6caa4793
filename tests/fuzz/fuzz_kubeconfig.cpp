// A kubeconfig as an operator may have broken it: refused with words, never a crash.
#include "base/bytes.hpp"
#include "kube/client_config.hpp"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = rb::as_text(rb::ByteView(data, size));
  const auto config = rb::kube::parse_kubeconfig(text, "/nonexistent");
  if (!config && config.error().message.empty()) {
    std::abort();
  }
  return 0;
}
