// A host and a set that fit together; each test makes them wrong in one way.
#pragma once

#include "restore/cluster/plan.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace rb::test {

inline cluster::ObservedHost good_host() {
  cluster::ObservedHost host;
  host.k3s_program = "/usr/local/bin/k3s";
  host.k3s_version = "v1.34.4+k3s1";
  host.manager = "systemd unit k3s";
  host.service = k3s::ServiceState::active;
  host.servers = {{4711, "/usr/local/bin/k3s server"}};
  host.data_dir = "/var/lib/rancher/k3s";
  host.data.etcd = true;
  host.data.token_hash = "0123456789ab";
  host.data.free_bytes = std::uint64_t{8} << 30U;
  host.host_local = true;
  return host;
}

inline cluster::SetFacts good_set() {
  cluster::SetFacts set;
  set.run_id = "20261122T020000Z";
  set.complete = true;
  set.k3s_version = "v1.34.4+k3s1";
  set.artifacts = {{"etcd-20261122T020000Z.snap.age", ExitCode::done, {}}};
  set.snapshot = true;
  set.host_state = true;
  set.snapshot_bytes = 64U << 20U;
  set.bootstrap_hashes = {"0123456789ab"};
  set.members = 1;
  set.token_hash = "0123456789ab";
  return set;
}

inline const cluster::Check* find_check(const cluster::Decision& decision, const char* name) {
  const auto found = std::find_if(
      decision.checks.begin(), decision.checks.end(), [&](const cluster::Check& check) {
        return check.name == name && check.verdict != cluster::Verdict::ok;
      });
  return found == decision.checks.end() ? nullptr : &*found;
}

/// The check `name` refuses, with that exit code and a next step.
inline void check_refused(const cluster::Decision& decision,
                          const char* name,
                          ExitCode code = ExitCode::failed) {
  const cluster::Check* const check = find_check(decision, name);
  REQUIRE(check != nullptr);
  CHECK(check->verdict == cluster::Verdict::refuse);
  CHECK(decision.code() == code);
  CHECK_FALSE(check->message.empty());
  CHECK_FALSE(check->hint.empty());
}

/// The reset gets that flag.
inline bool carries(const cluster::Plan& plan, const char* flag) {
  return std::find(plan.carried.begin(), plan.carried.end(), flag) != plan.carried.end();
}

} // namespace rb::test
