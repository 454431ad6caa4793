// Cuts a stream of bytes into lines that end with a line feed. One line is bounded.
#pragma once

#include "base/result.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace rb::kube {

/// Used by one thread.
class LineFramer {
public:
  /// Takes one line without its line feed; false stops the framer (push then returns false, too).
  using LineSink = std::function<bool(std::string_view)>;

  explicit LineFramer(std::size_t limit_bytes) : m_limit_bytes(limit_bytes) {}

  /// Empty lines are dropped. Returns false when the sink said so. Errors: unsupported (a line
  /// longer than the limit; the framer is useless afterwards).
  [[nodiscard]] Result<bool> push(std::string_view bytes, const LineSink& sink);

  /// Bytes of an unfinished line that are held.
  [[nodiscard]] std::size_t pending_bytes() const { return m_pending.size(); }

  void clear() { m_pending.clear(); }

private:
  std::size_t m_limit_bytes;
  std::string m_pending;
};

} // namespace rb::kube
