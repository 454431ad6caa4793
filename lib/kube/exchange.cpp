#include "kube/exchange.hpp"

namespace rb::kube {

bool Flow::is_too_far_ahead(std::uint64_t read_bytes) {
  if (read_bytes <= taken_bytes.load() + ahead_limit_bytes) {
    return false;
  }
  Ending none = Ending::none;
  ending.compare_exchange_strong(none, Ending::too_large);
  return true;
}

Exchange::Exchange(DeadlineTimer& timer,
                   std::chrono::milliseconds timeout,
                   std::uint64_t ahead_limit_bytes,
                   const std::stop_token& stop,
                   std::function<void()> cancel)
    : m_flow(std::make_shared<Flow>()), m_cancel(std::move(cancel)),
      m_alarm(timer, timeout, [this] { end(Ending::deadline); }),
      m_on_stop(stop, [this] { end(Ending::stopped); }) {
  m_flow->ahead_limit_bytes = ahead_limit_bytes;
}

void Exchange::end(Ending why) {
  Ending none = Ending::none;
  m_flow->ending.compare_exchange_strong(none, why);
  m_cancel();
}

} // namespace rb::kube
