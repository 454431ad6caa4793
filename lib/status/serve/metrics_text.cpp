#include "status/serve/metrics_text.hpp"

#include <prometheus/text_serializer.h>

#include <exception>

namespace rb::status {

MetricsText::MetricsText(std::shared_ptr<prometheus::Collectable> metrics,
                         std::function<void()> on_rendered)
    : m_metrics(std::move(metrics)), m_on_rendered(std::move(on_rendered)),
      m_thread([this] { work(); }) {}

MetricsText::~MetricsText() {
  {
    const std::lock_guard lock(m_mutex);
    m_ended = true;
  }
  m_asked_or_ended.notify_one();
  m_thread.join();
}

std::uint64_t MetricsText::ask() {
  const std::lock_guard lock(m_mutex);
  if (m_asked == m_begun) {
    ++m_asked;
    m_asked_or_ended.notify_one();
  }
  return m_asked;
}

MetricsText::Rendered MetricsText::newest() const {
  const std::lock_guard lock(m_mutex);
  return m_newest;
}

void MetricsText::work() {
  std::unique_lock lock(m_mutex);
  while (true) {
    m_asked_or_ended.wait(lock, [this] { return m_ended || m_asked > m_begun; });
    if (m_ended) {
      return;
    }
    const std::uint64_t number = m_begun = m_asked;
    lock.unlock();
    auto text = render();
    lock.lock();
    m_newest = {number, std::move(text)};
    m_on_rendered();
  }
}

std::shared_ptr<const std::string> MetricsText::render() const {
  try {
    return std::make_shared<const std::string>(
        prometheus::TextSerializer().Serialize(m_metrics->Collect()));
  } catch (const std::exception&) {
    return nullptr; // the client gets a 500, the next one another try
  }
}

} // namespace rb::status
