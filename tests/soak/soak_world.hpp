// A cluster in which requests come and go, an agent works and dies, and the controller sees all of
// it late, through an API that misbehaves. Holds after every step: no run is begun twice, one run
// at a time, run ids are never given twice.
#pragma once

#include "controller/executor.hpp"
#include "misbehaving_api.hpp"

#include <memory>
#include <set>

namespace rb::test {

class SoakClock final : public Clock {
public:
  [[nodiscard]] SystemTime now() const override { return m_now; }
  [[nodiscard]] std::chrono::steady_clock::time_point steady_now() const override {
    return std::chrono::steady_clock::time_point{} + (m_now - k_begin) + std::chrono::hours(1);
  }
  void pass(std::chrono::seconds time) { m_now += time; }

private:
  static inline const SystemTime k_begin = parse_run_id("20260101T000000Z").value();
  SystemTime m_now = k_begin;
};

struct SoakCounts {
  std::size_t requests = 0;
  std::size_t runs_begun = 0; ///< Orders that the agent took.
  std::size_t restarts = 0;   ///< Of the controller.
  std::size_t starts = 0;
  std::size_t killed_in_helm = 0;
  std::size_t results = 0; ///< Events.
};

class SoakWorld {
public:
  explicit SoakWorld(Random& random);
  ~SoakWorld();
  SoakWorld(const SoakWorld&) = delete;
  SoakWorld& operator=(const SoakWorld&) = delete;
  SoakWorld(SoakWorld&&) = delete;
  SoakWorld& operator=(SoakWorld&&) = delete;

  /// Something happens, the controller plans and acts, and what must hold is checked.
  void step();

  /// Nothing goes wrong any more: everything ends, and is removed when its time has passed.
  void come_to_rest();

  [[nodiscard]] const SoakCounts& counts() const { return m_counts; }
  [[nodiscard]] const std::map<std::string, std::size_t>& faults() const { return m_api.faults; }
  /// Objects that are there now.
  [[nodiscard]] std::size_t objects() const { return m_api.truth.objects.size(); }

private:
  struct Process; ///< The controller, which forgets everything when it is started anew.

  void request();
  void remove_something();
  void agent_works();
  void take(nlohmann::json& order);
  void finish(nlohmann::json& order, bool well);
  void deliver(std::size_t per_cent);
  void act();
  void carry_out();
  void restart();
  void check() const;

  Random& m_random;
  SoakClock m_clock;
  MisbehavingApi m_api;
  SoakCounts m_counts;
  std::map<std::string, std::string> m_seen; ///< resourceVersion by path, as delivered.
  std::set<std::string> m_begun;             ///< Uids whose order an agent took.
  /// Which processes began the Helm step of a run, by its uid.
  std::map<std::string, std::set<std::size_t>> m_helm_begun;
  std::unique_ptr<Process> m_process;
};

} // namespace rb::test
