#include "agent/mounted_files.hpp"
#include "agent/server_config.hpp"
#include "cases/cases.hpp"
#include "recover/settings_reader.hpp"

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
};

agent::MountedFiles as_agent(const std::filesystem::path& root) {
  agent::Settings settings;
  settings.host_etc_dir = root / "etc";
  settings.config_dir = root / "etc/rancher";
  return agent::MountedFiles(settings);
}

std::string all_of(const k3s::ServerSettings& settings) {
  std::string text;
  for (const k3s::Setting& setting : settings.all()) {
    text += (text.empty() ? "" : " ") + setting.flag +
            (setting.value.empty() ? "" : "=" + setting.value);
  }
  return text;
}

std::string service_of(const recover::ReadSettings& read) {
  if (!read.systemd_unit.empty()) {
    return "systemd unit " + read.systemd_unit;
  }
  return read.openrc_service.empty() ? "no service" : "OpenRC service " + read.openrc_service;
}

} // namespace

Verdict check_host(const std::filesystem::path& root) {
  const recover::ReadSettings restore = recover::read_settings(recover::DiskView(root.string()));
  const k3s::HostSettings agent = k3s::read_host_settings(as_agent(root));
  const std::string known = all_of(restore.settings);
  Verdict verdict{!known.empty(), service_of(restore) + ": " + known};
  if (known != all_of(agent.settings)) {
    return {false, "restore: " + known + "; agent: " + all_of(agent.settings)};
  }
  const auto expected = k_expected.find(root.filename().string());
  if (expected != k_expected.end()) {
    verdict.right = verdict.right && service_of(restore) != "no service";
    for (const auto& [flag, value] : expected->second) {
      verdict.right =
          verdict.right && restore.settings.has(flag) && restore.settings.value(flag) == value;
    }
  }
  return verdict;
}

} // namespace rb::cases
