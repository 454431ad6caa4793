#include "status/collector.hpp"

#include <prometheus/metric_family.h>

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

} // namespace rb::status
