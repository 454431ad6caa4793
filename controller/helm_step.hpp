// The Helm step of a run: releases -> tar.gz -> age -> ConfigMaps. For whom it is encrypted, within
// how much memory, and in which pieces it goes through the API.
#pragma once

#include "controller/plan.hpp"

#include "age/identity.hpp"
#include "api/backup.hpp"
#include "base/bytes.hpp"
#include "base/port.hpp"
#include "helm/limits.hpp"
#include "kube/client.hpp"

#include <cstddef>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

namespace rb::controller {

using Recipients = std::variant<std::vector<age::Recipient>, RecipientsProblem>;

/// The recipients of the mounted .sops.yaml, read again for each run: who may read our backups is
/// who may read the operator's secrets, never who asks for a backup. Never empty when it is a list.
/// The problem's message names the file.
[[nodiscard]] Recipients read_recipients(const std::string& sops_yaml_path);

/// The chart's controller.resources.limits.memory: what is assumed where no limit is to be found.
inline constexpr std::size_t k_default_memory_bytes = std::size_t{256} << 20U;

/// The releases are in memory once as they are, once as the archive and once encrypted, beside
/// pages and the release that is being decoded: some 100 MiB.
inline constexpr std::size_t k_inventory_share = 5;

/// The limit of our control group (version 2, then 1); nothing where there is none.
[[nodiscard]] std::optional<std::size_t>
memory_limit(const std::string& cgroup_root = "/sys/fs/cgroup");

/// A share of the limit, and never more than an artifact may hold.
[[nodiscard]] helm::Budget inventory_budget(std::optional<std::size_t> limit);

/// A ConfigMap holds 1 MiB at most; base64 takes a third more.
inline constexpr std::size_t k_payload_piece_bytes = std::size_t{768} << 10U;
/// As in crds/ (helmPayload.configMaps, maxItems).
inline constexpr std::size_t k_payload_pieces_limit = 256;
static_assert(api::k_payload_limit_bytes <= k_payload_piece_bytes * k_payload_pieces_limit);

[[nodiscard]] std::size_t payload_pieces(std::size_t ciphertext_bytes);

/// One of the objects to create; owned by the run's ClusterBackup. Pure.
[[nodiscard]] nlohmann::json payload_config_map(const std::string& name_space,
                                                const api::OwnerReference& owner,
                                                std::size_t number,
                                                ByteView ciphertext);

/// The encrypted Helm artifact on its way through the API: pieces in ConfigMaps of our namespace.
class PayloadStore {
public:
  PayloadStore(kube::Client& client, std::string name_space);

  /// Removes what is there of the run, then writes all pieces. Errors: those of the client;
  /// unsupported (more than the agent takes).
  [[nodiscard]] Result<api::HelmPayload>
  write(const api::OwnerReference& owner, ByteView ciphertext, std::stop_token stop);

  /// Removes all pieces of the run; none is fine.
  [[nodiscard]] Status remove(const std::string& run_uid, std::stop_token stop);

  /// The uids of all runs that have pieces. Only metadata is read.
  [[nodiscard]] Result<std::set<std::string>> list_runs(std::stop_token stop);

private:
  kube::Client& m_client;
  std::string m_name_space;
};

/// The port that the executor calls.
class HelmStep : public Port {
public:
  /// Undecodable releases are kept as they were stored and counted in `outcome.status`; the step
  /// has succeeded. Errors: anything that kept the artifact from being made; the caller decides
  /// whether to try again.
  [[nodiscard]] virtual Result<HelmOutcome> run(const CollectHelm& order, std::stop_token stop) = 0;
};

/// The plaintext is in memory only, in buffers that are wiped.
class ApiHelmStep final : public HelmStep {
public:
  ApiHelmStep(kube::Client& client,
              const Clock& clock,
              PayloadStore& payloads,
              std::string sops_yaml_path,
              helm::Budget budget = {});

  [[nodiscard]] Result<HelmOutcome> run(const CollectHelm& order, std::stop_token stop) override;

private:
  kube::Client& m_client;
  const Clock& m_clock;
  PayloadStore& m_payloads;
  std::string m_sops_yaml_path;
  helm::Budget m_budget;
};

} // namespace rb::controller
