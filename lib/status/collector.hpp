// Families of ours on /metrics of a program, beside those of its registry.
#pragma once

#include "status/families.hpp"

#include <prometheus/collectable.h>

#include <functional>
#include <memory>
#include <vector>

namespace rb::status {

/// `source` is asked at each scrape, by several threads; `registry` comes after it.
class Collector final : public prometheus::Collectable {
public:
  using Source = std::function<std::vector<Family>()>;

  Collector(Source source, std::shared_ptr<prometheus::Collectable> registry);
  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override;

private:
  const Source m_source;
  const std::shared_ptr<prometheus::Collectable> m_registry;
};

} // namespace rb::status
