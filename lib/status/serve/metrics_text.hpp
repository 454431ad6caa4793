// What /metrics shows: families of ours beside those of the program's registry; and the text of it,
// made on a thread of its own: collecting may take a while, and nobody who asks for a probe waits
// for it.
#pragma once

#include "status/families.hpp"

#include <prometheus/collectable.h>

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
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

class MetricsText {
public:
  struct Rendered {
    std::uint64_t number = 0;                     ///< 0: none yet.
    std::shared_ptr<const std::string> text = {}; ///< Null: it could not be made.
  };

  /// `on_rendered` is called on the thread of its own.
  MetricsText(std::shared_ptr<prometheus::Collectable> metrics, std::function<void()> on_rendered);
  ~MetricsText();
  MetricsText(const MetricsText&) = delete;
  MetricsText& operator=(const MetricsText&) = delete;
  MetricsText(MetricsText&&) = delete;
  MetricsText& operator=(MetricsText&&) = delete;

  /// Asks for a text that is begun after this call; any number of those who ask share one. Returns
  /// its number: newest() with this number or a higher one is the answer.
  [[nodiscard]] std::uint64_t ask();
  [[nodiscard]] Rendered newest() const;

private:
  void work();
  [[nodiscard]] std::shared_ptr<const std::string> render() const;

  const std::shared_ptr<prometheus::Collectable> m_metrics;
  const std::function<void()> m_on_rendered;
  mutable std::mutex m_mutex;
  std::condition_variable m_asked_or_ended;
  std::uint64_t m_asked = 0;
  std::uint64_t m_begun = 0;
  bool m_ended = false;
  Rendered m_newest;
  std::thread m_thread;
};

} // namespace rb::status
