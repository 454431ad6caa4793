// The loop: observe, plan, carry out, wait. Runs in a thread of its own while we lead.
#pragma once

#include "controller/executor.hpp"

#include <thread>

namespace rb::controller {

class Reconciler {
public:
  /// `current` says whether the store has seen all objects, and all of one history: nothing is
  /// planned while it is false. Collaborators outlive the reconciler.
  Reconciler(Ports ports, std::string sops_yaml_path, std::function<bool()> current);

  /// Begins a term of leadership. Returns at once.
  void start();
  /// Ends it: when this returns, nothing is carried out any more.
  void stop();

private:
  void run(const std::stop_token& stop);
  bool wait_until_current(const std::stop_token& stop);
  bool sweep(const std::stop_token& stop);
  /// True when everything went well.
  bool carry_out(const Plan& plan, const std::stop_token& stop);
  void publish();

  Ports m_ports;
  Executor m_executor;
  std::string m_sops_yaml_path;
  std::function<bool()> m_current;
  std::jthread m_thread;
};

} // namespace rb::controller
