#include "status/serve/metrics_text.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <exception>
#include <iterator>

namespace rb::status {

namespace {

prometheus::MetricFamily to_prometheus(const Family& family) {
  prometheus::MetricFamily result;
  result.name = family.name;
  result.help = family.help;
  result.type = prometheus::MetricType::Gauge;
  for (const Sample& sample : family.samples) {
    prometheus::ClientMetric metric;
    metric.gauge.value = sample.value;
    for (const auto& [name, value] : sample.labels) {
      metric.label.push_back({name, value});
    }
    result.metric.push_back(std::move(metric));
  }
  return result;
}

} // namespace

Collector::Collector(Source source, std::shared_ptr<prometheus::Collectable> registry)
    : m_source(std::move(source)), m_registry(std::move(registry)) {}

std::vector<prometheus::MetricFamily> Collector::Collect() const {
  std::vector<prometheus::MetricFamily> all;
  for (const Family& family : m_source()) {
    all.push_back(to_prometheus(family));
  }
  std::vector<prometheus::MetricFamily> own = m_registry->Collect();
  all.insert(all.end(), std::make_move_iterator(own.begin()), std::make_move_iterator(own.end()));
  return all;
}

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
