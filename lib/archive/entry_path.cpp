#include "archive/entry_path.hpp"

#include "terminal/terminal_text.hpp"

#include <algorithm>

namespace rb::archive {

namespace {

constexpr std::size_t k_shown_bytes = 80;

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

Error unsafe(std::string_view path, std::string_view why) {
  return {ErrorCode::invalid_argument, printable(path) + ": unsafe path: " + std::string(why), {}};
}

} // namespace

std::string printable(std::string_view text) {
  return text.empty() ? "(empty)" : terminal_text(text, k_shown_bytes);
}

Status check_entry_path(std::string_view path) {
  if (path.empty()) {
    return unsafe(path, "it is empty");
  }
  if (path.size() > k_path_limit_bytes) {
    return unsafe(path, "it is longer than 1024 bytes");
  }
  if (std::any_of(path.begin(), path.end(), is_control)) {
    return unsafe(path, "it has a control character");
  }
  if (path.front() == '/') {
    return unsafe(path, "it is absolute");
  }
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view component = path.substr(begin, end - begin);
    if (component.empty() || component == "." || component == "..") {
      return unsafe(path, "it has an empty, '.' or '..' component");
    }
    if (component.size() > k_component_limit_bytes) {
      return unsafe(path, "it has a component longer than 255 bytes");
    }
    begin = end + 1;
  }
  return {};
}

} // namespace rb::archive
