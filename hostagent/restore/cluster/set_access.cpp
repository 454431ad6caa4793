#include "restore/cluster/set_access.hpp"

#include "k3s/host_settings.hpp"
#include "k3s/token.hpp"
#include "restore/cluster/journal.hpp"
#include "restore/cluster/servers.hpp"
#include "set/names.hpp"
#include "set/signed_files.hpp"
#include "terminal/terminal_text.hpp"

#include <algorithm>

namespace rb::cluster {

namespace {

using api::ArtifactType;

/// For the database: its reset comes after the image.
constexpr std::uint64_t k_left_free_bytes = std::uint64_t{512} << 20U;

bool has(const set::Manifest& manifest, ArtifactType type) {
  return std::any_of(manifest.artifacts.begin(), manifest.artifacts.end(), [&](const auto& one) {
    return one.type == type;
  });
}

api::DatastoreKind datastore_of(const set::Manifest& manifest) {
  return manifest.snapshot ? manifest.snapshot->kind : api::DatastoreKind::etcd;
}

bool is_external(const set::Manifest& manifest) {
  return std::ranges::any_of(manifest.missing, [](const api::MissingArtifact& missing) {
    return missing.type == ArtifactType::datastore && missing.newer_reason.empty() &&
           missing.reason == api::Reason::datastore_external;
  });
}

void take_manifest(const set::Manifest& manifest, SetFacts& facts) {
  facts.node_name = manifest.node_name;
  facts.k3s_version = manifest.k3s_version;
  facts.storage_version = manifest.snapshot ? manifest.snapshot->storage_version : std::string();
  facts.cluster_cas.push_back(manifest.cluster_ca);
  facts.servers = manifest.servers;
  facts.snapshot = manifest.snapshot.has_value() && has(manifest, ArtifactType::datastore);
  facts.external_datastore = is_external(manifest);
  facts.datastore = datastore_of(manifest);
  facts.host_state = has(manifest, ArtifactType::host_state);
}

/// What the manifest cannot be trusted with, or does not say: the snapshot's own word.
void take_snapshot(const set::SnapshotFacts& snapshot, SetFacts& facts) {
  facts.bootstrap_hashes = snapshot.bootstrap_hashes;
  facts.members = snapshot.members.size();
  facts.peers = snapshot.members;
  facts.cluster_uid = snapshot.cluster_uid;
  add_members(snapshot.members, facts.servers);
  facts.snapshot_bytes = snapshot.size_bytes;
}

void note(SetFacts& facts, ArtifactType type, const Error& error) {
  const ExitCode code =
      error.code == ErrorCode::corrupt ? ExitCode::damaged : exit_code_for(error.code);
  facts.artifacts.push_back(
      {set::artifact_name(type, facts.run_id, facts.generation), code, error.message});
}

const archive::Entry* find_server_ca(const set::HostState& state) {
  const std::string data_dir = state.data_dir.empty() ? k_usual_data_dir : state.data_dir;
  return state.find(data_dir + "/" + std::string(k3s::k_server_ca));
}

void take_host_state(set::HostState state, OpenedSet& opened) {
  opened.host_state = std::move(state);
  opened.host_settings =
      k3s::read_host_settings(set::HostStateView(*opened.host_state), opened.host_state->node);
  opened.facts.token_hash = k3s::token_hash(opened.host_state->server_token());
  opened.facts.cluster_cas.push_back(k3s::cluster_ca_of_token(opened.host_state->server_token()));
  if (const archive::Entry* const ca = find_server_ca(*opened.host_state)) {
    opened.facts.cluster_cas.push_back(k3s::cluster_ca_of_file(ca->content.text()));
  }
  opened.facts.data_dir = opened.host_state->data_dir;
  opened.facts.settings = opened.host_settings->settings;
  opened.facts.tokens = opened.host_settings->tokens;
  k3s::read_missing_tokens(k3s::DiskFiles(), opened.facts.tokens);
}

std::vector<Rewritten> rewrite_state(set::HostState& state,
                                     std::span<const Replacement> replacements) {
  const k3s::HostSettings settings = k3s::read_host_settings(set::HostStateView(state), state.node);
  return rewrite(state, settings.files, replacements);
}

} // namespace

Result<OpenedSet> open_set(set::Directory& directory,
                           const set::BackupSet& set,
                           std::span<const age::Identity> identities,
                           const set::CheckHooks& hooks) {
  OpenedSet opened;
  SetFacts& facts = opened.facts;
  facts.run_id = set.run_id;
  facts.generation = set.generation;
  facts.complete = set.state == set::SetState::complete;
  facts.problems = set.problems;
  if (!set.manifest) {
    facts.artifacts.push_back({set::manifest_name(set.run_id, set.generation),
                               ExitCode::damaged,
                               "missing or damaged: nothing says what the set must hold"});
    return opened;
  }
  const set::Manifest& manifest = *set.manifest;
  take_manifest(manifest, facts);
  facts.disproven = set::is_disproven(set) ? manifest.proof->message : std::string();
  bool whole = true;
  k3s::NodeArguments node;
  for (const set::FileReport& file : set::check_set(directory, set, identities, hooks).files) {
    facts.artifacts.push_back({file.name, file.code, file.message});
    whole = whole && file.code == ExitCode::done;
    if (file.snapshot) {
      take_snapshot(*file.snapshot, facts);
      node = file.snapshot->node;
    }
  }
  if (hooks.stop.stop_requested()) {
    return Error{ErrorCode::cancelled, "told to stop", {}};
  }
  if (whole && facts.host_state) {
    auto state = set::open_host_state(directory, manifest, identities, hooks.stop);
    if (state) {
      if (!node.empty()) { // sets of before have it in the snapshot alone
        state->node = std::move(node);
      }
      take_host_state(std::move(*state), opened);
    } else {
      note(facts, ArtifactType::host_state, state.error());
    }
  }
  return opened;
}

OpenedSet open_host_settings(set::Directory& directory,
                             const set::BackupSet& set,
                             std::span<const age::Identity> identities,
                             const std::stop_token& stop) {
  OpenedSet opened;
  opened.facts.run_id = set.run_id;
  if (!set.manifest || identities.empty()) {
    return opened;
  }
  opened.facts.datastore = datastore_of(*set.manifest);
  opened.facts.host_state = has(*set.manifest, ArtifactType::host_state);
  opened.facts.cluster_cas.push_back(set.manifest->cluster_ca);
  opened.facts.bootstrap_hashes = set.manifest->snapshot ? set.manifest->snapshot->bootstrap_hashes
                                                         : std::vector<std::string>();
  auto state = set::open_host_state(directory, *set.manifest, identities, stop);
  if (state) {
    take_host_state(std::move(*state), opened);
  }
  return opened;
}

void apply_replacements(OpenedSet& opened, std::span<const Replacement> replacements) {
  if (!opened.host_state || replacements.empty()) {
    return;
  }
  opened.facts.rewritten = rewrite_state(*opened.host_state, replacements);
  opened.host_settings =
      k3s::read_host_settings(set::HostStateView(*opened.host_state), opened.host_state->node);
  opened.facts.settings = opened.host_settings->settings;
}

Status DirectorySetSource::decrypt_snapshot(const std::string& path) {
  const auto on_progress = [this](std::uint64_t done, std::uint64_t total) {
    if (m_hooks.on_bytes) {
      m_hooks.on_bytes("snapshot: decrypted", done, total);
    }
  };
  return set::decrypt_artifact_to(m_directory,
                                  m_manifest,
                                  ArtifactType::datastore,
                                  m_identities,
                                  {path, true},
                                  m_hooks.stop,
                                  on_progress);
}

Result<set::HostState> DirectorySetSource::host_state() {
  RB_TRY_ASSIGN(set::HostState state, set::open_host_state(m_directory, m_manifest, m_identities));
  static_cast<void>(rewrite_state(state, m_replacements));
  return state;
}

Result<bool> DirectorySetSource::put_image(const std::string& path) {
  const std::string name(set::k_image_name);
  const auto file = m_directory.fs().open_read(name);
  if (!file && file.error().code == ErrorCode::not_found) {
    return false;
  }
  if (!file) {
    return file.error();
  }
  RB_TRY_ASSIGN(const std::uint64_t size, (*file)->size());
  RB_TRY_ASSIGN(set::Directory images,
                set::Directory::open_existing(path.substr(0, path.rfind('/'))));
  RB_TRY(set::check_free_space(images, size + k_left_free_bytes));
  DurableOrder order;
  order.name = path.substr(path.rfind('/') + 1);
  order.replace = true;
  RB_TRY(set::copy_genuine_file(m_directory, name, m_trusted, images.fs(), order));
  return true;
}

} // namespace rb::cluster
