// Whatever k3s prints: names are single components, each once; its last words are short and
// hold no token.
#include "k3s/output.hpp"

#include "base/bytes.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <set>

namespace {

constexpr std::size_t k_words_limit = 300;

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = std::string(rb::as_text(rb::ByteView(data, size)));
  const auto names = rb::k3s::saved_names(text);
  require(std::set<std::string>(names.begin(), names.end()).size() == names.size());
  require(std::ranges::none_of(
      names, [](const std::string& name) { return name.empty() || name.find('/') != name.npos; }));
  rb::ProcessResult result;
  result.err = text;
  // An ellipsis may follow, and what was removed is named.
  require(rb::k3s::last_words(result).size() <= k_words_limit + 32);
  const std::string clean = rb::k3s::without_secrets(text);
  require(rb::k3s::without_secrets(clean) == clean);
  return 0;
}
