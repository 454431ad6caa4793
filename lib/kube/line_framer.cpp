#include "kube/line_framer.hpp"

namespace rb::kube {

Result<bool> LineFramer::push(std::string_view bytes, const LineSink& sink) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, end);
    if (m_pending.size() + piece.size() > m_limit_bytes) {
      return Error{ErrorCode::unsupported,
                   "a line of the watch is longer than " + std::to_string(m_limit_bytes) + " bytes",
                   {}};
    }
    if (end == std::string_view::npos) {
      m_pending.append(piece);
      return true;
    }
    bytes.remove_prefix(end + 1);
    bool more = true;
    if (m_pending.empty()) {
      more = piece.empty() || sink(piece);
    } else {
      m_pending.append(piece);
      std::string line;
      line.swap(m_pending);
      more = sink(line);
    }
    if (!more) {
      return false;
    }
  }
  return true;
}

} // namespace rb::kube
