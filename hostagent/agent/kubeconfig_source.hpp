// Which kubeconfig goes into the set: the first configured one that is there, else k3s's own.
#pragma once

#include "agent/failure.hpp"

#include "base/secret_bytes.hpp"

#include <string>
#include <variant>
#include <vector>

namespace rb::agent {

struct Kubeconfig {
  std::string path;
  SecretBytes content;
};

/// Takes the first of `candidates` that exists. One that exists and cannot be used (empty, no
/// kubeconfig, unreadable) is not passed over: the operator meant it. Reason: kubeconfig_missing.
[[nodiscard]] std::variant<Kubeconfig, Failure>
find_kubeconfig(const std::vector<std::string>& candidates);

} // namespace rb::agent
