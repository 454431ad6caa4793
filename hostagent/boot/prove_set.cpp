#include "boot/prove_set.hpp"

#include "boot/real_boot.hpp"
#include "recover/settings_reader.hpp"

#include <unistd.h>

#include <array>
#include <filesystem>

namespace rb::boot {

namespace {

constexpr const char* k_fallback_parent = "/var/tmp";
constexpr std::array<const char*, 3> k_usual_places{
    "/usr/local/bin/k3s", "/usr/bin/k3s", "/opt/bin/k3s"};

/// The directory in which k3s's data directory lies: on its disk, but not in it.
std::string scratch_parent(const ProveOrder& order, const std::string& data_dir) {
  if (!order.scratch_parent.empty()) {
    return order.scratch_parent;
  }
  std::error_code ignored;
  if (!data_dir.empty() && std::filesystem::is_directory(data_dir, ignored)) {
    return std::filesystem::path(data_dir).parent_path().string();
  }
  return k_fallback_parent;
}

} // namespace

ServerSettings settings_of(const unpack::HostState& state) {
  const recover::ServerSettings read =
      recover::read_settings(recover::HostStateView(state)).settings;
  ServerSettings settings;
  settings.cluster_cidr = read.value("cluster-cidr");
  settings.service_cidr = read.value("service-cidr");
  settings.secrets_encryption = read.is_on("secrets-encryption");
  settings.secrets_encryption_provider = read.value("secrets-encryption-provider");
  return settings;
}

Result<std::string> find_k3s(const std::string& ordered, const std::string& of_host) {
  std::vector<std::string> candidates{ordered};
  if (ordered.empty()) {
    candidates = {of_host};
    candidates.insert(candidates.end(), k_usual_places.begin(), k_usual_places.end());
  }
  for (const std::string& path : candidates) {
    if (path.starts_with('/') && ::access(path.c_str(), X_OK) == 0) {
      return path;
    }
  }
  return Error{ErrorCode::not_found,
               (ordered.empty() ? "k3s" : ordered) + ": no such program on this host",
               "name it: --k3s /path/to/k3s (the version of the backup, or a newer one)"};
}

Result<BootReport> prove_set(artifact::Directory& directory,
                             const artifact::Manifest& manifest,
                             std::span<const age::Identity> identities,
                             const ProveOrder& order,
                             const std::function<void(const std::string& line)>& progress,
                             const std::stop_token& stop) {
  if (::geteuid() != 0) {
    return Error{
        ErrorCode::permission_denied, "a scratch server can be booted by root only", "use sudo"};
  }
  if (!manifest.snapshot) {
    return Error{
        ErrorCode::incomplete, manifest.run_id + ": has no snapshot to boot", "choose another set"};
  }
  RB_TRY_ASSIGN(const unpack::HostState state,
                unpack::open_host_state(directory, manifest, identities, stop));
  RB_TRY_ASSIGN(const std::string k3s, find_k3s(order.k3s, state.k3s_program));
  RB_TRY_ASSIGN(ScratchDir scratch,
                ScratchDir::make(scratch_parent(order, state.data_dir),
                                 scratch_bytes_for(manifest.snapshot->size_bytes),
                                 order.places));
  BootInput input;
  input.k3s = k3s;
  input.directory = scratch.path();
  input.snapshot_path = scratch.path() + "/snapshot";
  input.token = state.server_token();
  input.settings = settings_of(state);
  input.revision = manifest.snapshot->revision;
  input.objects = manifest.snapshot->objects;
  input.reset_timeout = order.timeout;
  input.ready_timeout = order.timeout;
  progress("boot: decrypting the snapshot into " + scratch.path());
  RB_TRY(unpack::decrypt_artifact_to(directory,
                                     manifest,
                                     api::ArtifactType::etcd_snapshot,
                                     identities,
                                     {input.snapshot_path, false},
                                     stop));
  return boot_here(input, scratch, progress, stop);
}

} // namespace rb::boot
