#include "agent/host/host_artifacts.hpp"
#include "agent/host/mounted_files.hpp"
#include "cases/cases.hpp"
#include "k3s/host_settings.hpp"
#include "restore/cluster/checks.hpp"
#include "restore/cluster/put_back.hpp"
#include "set/host_state.hpp"

#include <algorithm>
#include <map>

namespace rb::cases {

namespace {

/// What has to be known of those that we have; of others only that something is.
using Expected = std::map<std::string, std::string>;
const std::map<std::string, Expected> k_expected{
    {"u01",
     {{"data-dir", "/srv/k3s-data"}, {"secrets-encryption", ""}, {"cluster-cidr", "10.99.0.0/16"}}},
    {"u02",
     {{"data-dir", "/srv/k3s-data"},
      {"secrets-encryption", "true"},
      {"token", std::string(k3s::k_masked)}}},
    {"u04", {{"cluster-init", ""}, {"secrets-encryption", ""}}},
    {"u05",
     {{"cluster-init", "true"},
      {"secrets-encryption", "true"},
      {"etcd-snapshot-dir", "/mnt/snap"},
      {"https-listen-port", "7443"},
      {"token", std::string(k3s::k_masked)}}},
    {"u0a-named-daemon", {{"cluster-init", ""}, {"data-dir", "/srv/k3s-data"}}},
    {"u0b-quoted-environment",
     {{"cluster-init", ""},
      {"node-label", "site=north"},
      {"etcd-snapshot-schedule-cron", "0 */6 * * *"},
      {"data-dir", "/srv/k3s-data"},
      {"token", std::string(k3s::k_masked)}}},
    {"u0c-credential", {{"cluster-init", ""}, {"token-file", "/etc/k3s/token"}}},
    {"u0d-exported-environment", {{"cluster-init", ""}, {"node-name", "one"}}},
    {"u0e-scheduler",
     {{"kube-scheduler-arg", "config=/var/lib/scheduler/scheduler-config.yaml"},
      {"write-kubeconfig-mode", "644"}}},
    {"u09-hardened", {{"protect-kernel-defaults", "true"}}},
};

constexpr const char* k_data_dir = "/var/lib/rancher/k3s";

agent::Settings settings_in(const std::filesystem::path& root) {
  agent::Settings settings;
  settings.host_etc_dir = root / "etc";
  settings.config_dir = root / "etc/rancher";
  return settings;
}

std::string all_of(const k3s::ServerSettings& settings) {
  std::string text;
  for (const k3s::Setting& setting : settings.all()) {
    text += (text.empty() ? "" : " ") + setting.flag +
            (setting.value.empty() ? "" : "=" + setting.value);
  }
  return text;
}

std::string service_of(const k3s::HostSettings& read) {
  if (!read.systemd_unit.empty()) {
    return "systemd unit " + read.systemd_unit;
  }
  return read.openrc_service.empty() ? "no service" : "OpenRC service " + read.openrc_service;
}

/// Each file that the settings name is collected or listed, and the pre-flight of a bare host looks
/// for it. Empty: it is so.
std::string wrong_with_named_files(const std::filesystem::path& root, std::string& said) {
  const agent::MountedFiles mounted(settings_in(root));
  agent::FileCollector files({}, [&](const std::string& path) { return mounted.seen_as(path); });
  agent::add_named_files(files, mounted, k3s::read_host_settings(mounted), k_data_dir);
  set::HostState state;
  state.data_dir = k_data_dir;
  state.files = std::move(files.entries());
  const auto facts = cluster::NamedBack(state, k_data_dir, "/nonexistent").facts();
  const cluster::Check check = cluster::check_named_files(facts);
  for (const cluster::NamedFact& fact : facts) {
    const bool listed = std::ranges::any_of(files.skipped(), [&](const agent::SkippedFile& file) {
      return "/" + file.path == fact.path;
    });
    if (!fact.in_set && (!listed || check.message.find(fact.path) == std::string::npos)) {
      return fact.path + ": neither collected nor listed and looked for";
    }
  }
  said += facts.empty() ? "" : "; pre-flight: " + check.message;
  return {};
}

} // namespace

Verdict check_host(const std::filesystem::path& root) {
  const k3s::HostSettings restore = k3s::read_host_settings(k3s::DiskFiles(root.string()));
  const k3s::HostSettings agent = k3s::read_host_settings(agent::MountedFiles(settings_in(root)));
  const std::string known = all_of(restore.settings);
  Verdict verdict{!known.empty(), service_of(restore) + ": " + known};
  if (known != all_of(agent.settings)) {
    return {false, "restore: " + known + "; agent: " + all_of(agent.settings)};
  }
  if (const std::string wrong = wrong_with_named_files(root, verdict.said); !wrong.empty()) {
    return {false, wrong};
  }
  const auto expected = k_expected.find(root.filename().string());
  if (expected != k_expected.end()) {
    verdict.right =
        verdict.right && (service_of(restore) != "no service" || root.filename() == "u09-hardened");
    for (const auto& [flag, value] : expected->second) {
      verdict.right =
          verdict.right && restore.settings.has(flag) && restore.settings.value(flag) == value;
    }
  }
  return verdict;
}

} // namespace rb::cases
