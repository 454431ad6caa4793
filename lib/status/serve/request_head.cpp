#include "status/serve/request_head.hpp"

#include <algorithm>

namespace rb::status {

namespace {

/// The bytes before the empty line, or npos. A bare line feed ends a line, too (RFC 9112, 2.2).
std::size_t end_of_head(std::string_view text) {
  return std::min(text.find("\r\n\r\n"), text.find("\n\n"));
}

} // namespace

RequestHead read_head(std::string_view received, std::size_t limit_bytes) {
  const std::string_view within = received.substr(0, limit_bytes);
  const std::size_t end = end_of_head(within);
  if (end == std::string_view::npos) {
    return {received.size() < limit_bytes ? HeadState::more_wanted : HeadState::too_long};
  }
  std::string_view line = within.substr(0, std::min(end, within.find('\n')));
  if (line.ends_with('\r')) {
    line.remove_suffix(1);
  }
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last || first == 0 ||
      !line.substr(last + 1).starts_with("HTTP/1.")) {
    return {HeadState::not_http};
  }
  const std::string_view target = line.substr(first + 1, last - first - 1);
  return {HeadState::whole,
          std::string(line.substr(0, first)),
          std::string(target.substr(0, target.find('?')))};
}

} // namespace rb::status
