// A cluster of three servers and what happens to them, for tests of runs that go to several.
#pragma once

#include "controller/orders.hpp"
#include "world.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace rb::controller::test {

inline const std::string k_key = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";

/// Three servers with voting members.
inline Observed three() {
  Observed observed;
  observed.now = k_start + std::chrono::seconds{60};
  for (const std::string node : {"cp-1", "cp-2", "cp-3"}) {
    observed.agents["agent-" + node] = {"agent-" + node, node, true};
    observed.servers[node] = {
        api::Datastore::embedded_etcd, api::Member::voting, "10.0.0." + node.substr(3), k_key};
  }
  return observed;
}

inline void set_ready(Observed& observed, const std::string& node, bool ready) {
  observed.agents.at("agent-" + node).ready = ready;
}

inline const api::ClusterBackupStatus& status_of(const Observed& observed) {
  return observed.backups.at("uid-b").status;
}

inline std::string order_to(const Observed& observed, const std::string& node) {
  return order_name(observed.backups.at("uid-b"), node);
}

/// The run is begun and its orders are out.
inline Observed ordered(Observed observed = three()) {
  add(observed, backup("b"));
  settle(observed);
  return observed;
}

/// The agents of these nodes have the order.
inline void take(Observed& observed, const std::vector<std::string>& nodes) {
  for (const std::string& node : nodes) {
    accept(observed, order_to(observed, node));
  }
  settle(observed);
}

inline void end_on(Observed& observed, const std::string& node) {
  finish(observed, order_to(observed, node));
  settle(observed);
}

inline void later(Observed& observed, int by) {
  observed.now += std::chrono::seconds{by};
  for (auto& [name, silence] : observed.order_silence) {
    silence += std::chrono::seconds{by};
  }
}

inline const api::Condition& copies(const Observed& observed) {
  return *api::find_condition(status_of(observed).conditions, api::condition_type::k_copies);
}

inline const api::ServerCopy& copy_on(const Observed& observed, const std::string& node) {
  return *std::ranges::find(status_of(observed).servers, node, &api::ServerCopy::node_name);
}

} // namespace rb::controller::test
