#include "kube/runtime.hpp"

#include "kube/resource.hpp"

#include <random>
#include <utility>

namespace rb::kube {

std::string VersionGuard::known(const std::string& path) const {
  const std::lock_guard lock(m_mutex);
  const auto found = m_known.find(path);
  return found == m_known.end() ? std::string() : found->second;
}

void VersionGuard::answered(const std::string& path,
                            const std::string& version,
                            const std::string& before) {
  if (is_older_version(version, before)) {
    went_back();
  }
  const std::lock_guard lock(m_mutex);
  const auto found = m_known.find(path);
  if (found == m_known.end()) {
    if (m_known.size() < k_most_paths && !version.empty()) {
      m_known.emplace(path, version);
    }
  } else if (!is_older_version(version, found->second)) {
    found->second = version;
  }
}

void VersionGuard::went_back() {
  std::stop_source ended;
  {
    const std::lock_guard lock(m_mutex);
    ended = std::exchange(m_history, std::stop_source());
    m_known.clear();
  }
  ended.request_stop(); // outside the lock: it runs what waits for it
}

std::stop_token VersionGuard::same_history() const {
  const std::lock_guard lock(m_mutex);
  return m_history.get_token();
}

void Metrics::request_done(std::string_view /*method*/,
                           std::string_view /*code*/,
                           double /*seconds*/) {}
void Metrics::watch_restarted(std::string_view /*plural*/, bool /*relisted*/) {}
void Metrics::leader_changed(std::string_view /*lease*/, bool /*is_leader*/) {}
void Metrics::event_dropped() {}

double random_fraction() {
  thread_local std::mt19937_64 engine{std::random_device{}()};
  return std::uniform_real_distribution<double>(0.0, 1.0)(engine);
}

Runtime::Runtime() {
  static const RealClock real_clock;
  static RealWaiter real_waiter;
  static Metrics no_metrics;
  clock = &real_clock;
  waiter = &real_waiter;
  metrics = &no_metrics;
}

} // namespace rb::kube
