// Unit files, environment files and config.yaml of a host, or of a host state that somebody else
// packed: each file is the same hostile text. No crash, and no token in what is read.
#include "k3s/host_settings.hpp"

#include "base/bytes.hpp"

#include <cstdint>
#include <cstdlib>

namespace {

class OneText final : public rb::k3s::HostFiles {
public:
  explicit OneText(std::string_view text) : m_text(text) {}

  std::optional<std::string> read(const std::string& path) const override {
    static_cast<void>(path);
    return m_text;
  }
  std::vector<std::string> list(const std::string& directory) const override {
    return directory.ends_with("config.yaml.d") ? std::vector<std::string>{"10-more.yaml"}
                                                : std::vector<std::string>{"k3s.service", "other"};
  }

private:
  std::string m_text;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t hash_length = 64;
  const auto read = rb::k3s::read_host_settings(OneText(rb::as_text(rb::ByteView(data, size))));
  for (const auto& token : read.tokens) {
    if (!token.hash.empty() && token.hash.size() > hash_length) {
      std::abort();
    }
  }
  return 0;
}
