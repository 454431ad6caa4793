#include "kube/runtime.hpp"

#include <random>

namespace rb::kube {

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
