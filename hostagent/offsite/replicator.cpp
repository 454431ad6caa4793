#include "offsite/replicator.hpp"

#include "offsite/rclone_failure.hpp"
#include "offsite/remote_fs.hpp"
#include "set/last_restore.hpp"
#include "set/signed_files.hpp"

#include "base/fd.hpp"

#include <algorithm>

namespace rb::offsite {

using set::BackupSet;
using set::Directory;

namespace {

/// Whatever comes next would end in the same way. A full remote is not that: retention may free it.
bool stops_all(const Error& error) {
  return error.code != ErrorCode::corrupt && error.code != ErrorCode::no_space;
}

constexpr std::size_t k_public_key_limit_bytes = 4096;

/// None before the first run of the host.
std::vector<sign::PublicKey> keys_at(const std::string& path) {
  const auto text = read_text_file(path, k_public_key_limit_bytes);
  const auto key = text ? sign::PublicKey::parse(*text) : Result<sign::PublicKey>(text.error());
  return key ? std::vector{*key} : std::vector<sign::PublicKey>{};
}

/// The agent is not just replacing it.
bool is_settled(Directory& directory, const std::string& name) {
  const auto next = directory.fs().open_read(name + std::string(set::k_next_signature_suffix));
  return !next && next.error().code == ErrorCode::not_found;
}

/// What lies there as the host's public key is that key.
bool is_public_key(Directory& directory, const std::vector<sign::PublicKey>& keys) {
  const auto file = directory.fs().open_read(std::string(set::k_public_key_name));
  Bytes text(k_public_key_limit_bytes);
  const auto got = file ? (*file)->read(text) : Result<std::size_t>(file.error());
  return got && std::ranges::any_of(keys, [&](const sign::PublicKey& key) {
           return as_text(ByteView(text).first(*got)) == key.file();
         });
}

/// Without those that this host did not make: they must not fill the remote, nor push its sets out.
/// A set after a gap is genuine.
std::vector<BackupSet> sets_of_host(std::vector<BackupSet> sets,
                                    const std::vector<sign::PublicKey>& keys) {
  if (keys.empty()) {
    return sets;
  }
  const auto verdicts = set::judge_catalogue(sets, keys, set::KeyOrigin::outside);
  std::erase_if(sets, [&](const BackupSet& set) {
    return set::is_tampering(verdicts.at(set.run_id).verdict);
  });
  return sets;
}

} // namespace

std::size_t View::pending() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      sets, [](const auto& set) { return !set.second.replicated && set.second.damaged.empty(); }));
}

std::size_t View::damaged() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(sets, [](const auto& set) { return !set.second.damaged.empty(); }));
}

Replicator::Replicator(ReplicatorSettings settings,
                       RemoteStore& remote,
                       const Clock& clock,
                       OpenDirectory open_directory)
    : m_settings(std::move(settings)), m_remote(remote), m_clock(clock),
      m_open_directory(std::move(open_directory)) {}

View Replicator::view_of(const std::vector<BackupSet>& sets, const State& state) const {
  View view;
  view.remote = m_remote.name();
  for (const BackupSet& set : sets) {
    if (set.state == set::SetState::complete && set.manifest) {
      const auto damaged = state.damaged.find(set.run_id);
      view.sets[set.run_id] = {set.manifest->cluster_backup_uid,
                               state.replicated.contains(set.run_id),
                               damaged == state.damaged.end() ? std::string() : damaged->second};
    }
  }
  view.trouble = state.trouble;
  view.failures = state.failures;
  view.last_success = m_last_success;
  return view;
}

Status Replicator::send_if_new(Directory& directory,
                               const std::vector<RemoteFile>& there,
                               const std::string& name,
                               State& state,
                               std::stop_token stop) {
  RB_TRY_ASSIGN(const LocalFile local, measure(directory, name, stop));
  const bool listed = std::ranges::any_of(there, [&](const RemoteFile& file) {
    return file.name == name && file.size_bytes == local.file.size_bytes;
  });
  if (listed && state.kit[name] == local.sha256) {
    return {};
  }
  RB_TRY(replicate_file(directory, m_remote, there, local, std::move(stop)));
  state.kit[name] = local.sha256;
  return {};
}

Status Replicator::send_kit(Directory& directory,
                            const std::vector<RemoteFile>& there,
                            State& state,
                            std::stop_token stop) {
  std::optional<Error> refused;
  for (const std::string_view word : {set::k_guide_name, set::k_tool_name, set::k_image_name}) {
    const set::SignedFile file = set::judge_signed_file(directory, word, m_keys);
    if (file.trust == set::FileTrust::genuine && is_settled(directory, file.name)) {
      RB_TRY(send_if_new(directory, there, file.name, state, stop));
      const std::string signature = file.name + std::string(set::k_signature_suffix);
      RB_TRY(send_if_new(directory, there, signature, state, stop));
    } else if (set::is_tampering(file.trust)) {
      refused = Error{ErrorCode::corrupt,
                      directory.path() + "/" + file.name + ": not copied: " + file.message,
                      "look who can write there; the next backup puts the host's own file there"};
    }
  }
  if (is_public_key(directory, m_keys)) {
    RB_TRY(send_if_new(directory, there, std::string(set::k_public_key_name), state, stop));
  }
  return refused ? Status(*refused) : Status();
}

Status Replicator::remove_old(Directory& directory,
                              const std::vector<BackupSet>& sets,
                              std::stop_token stop) {
  if (m_settings.keep_last == 0) {
    return {};
  }
  RB_TRY_ASSIGN(const auto there, m_remote.list(stop));
  if (!are_too_many(there, m_settings.keep_last)) {
    return {};
  }
  RB_TRY_ASSIGN(const auto restored, set::read_last_restore(directory));
  RB_TRY_ASSIGN(Directory listing, open_remote(m_remote, stop));
  RB_TRY_ASSIGN(const auto over_there, set::list_sets(listing));
  for (const std::string& run_id : to_remove(over_there,
                                             sets,
                                             m_settings.keep_last,
                                             restored ? restored->run_id : std::string(),
                                             m_clock.now())) {
    for (const std::string& name : removal_order(there, run_id)) {
      RB_TRY(m_remote.remove(name, stop));
    }
  }
  return {};
}

Status Replicator::attempt(Directory& directory,
                           Directory& memory,
                           const std::vector<BackupSet>& sets,
                           State& state,
                           std::stop_token stop,
                           const OnChange& on_change) {
  RB_TRY_ASSIGN(const auto there, m_remote.list(stop));
  state.replicated = still_there(state, sets, there);
  state.compared = m_clock.now();
  // What is wrong with one set or one file stops nothing else: the first failure is told at the
  // end.
  const Status sent = send_sets(directory, memory, there, sets, state, stop, on_change);
  if (!sent && stops_all(sent.error())) {
    return sent;
  }
  const Status kit = send_kit(directory, there, state, stop);
  if (!kit && stops_all(kit.error())) {
    return sent ? kit : sent;
  }
  const Status removed = remove_old(directory, sets, stop);
  const Status read = reread(directory, sets, state, stop);
  for (const Status* const outcome : {&sent, &kit, &removed}) {
    if (!*outcome) {
      return *outcome;
    }
  }
  return read;
}

Status Replicator::send_sets(Directory& directory,
                             Directory& memory,
                             const std::vector<RemoteFile>& there,
                             const std::vector<BackupSet>& sets,
                             State& state,
                             std::stop_token stop,
                             const OnChange& on_change) {
  Status first;
  state.damaged.clear();
  for (const BackupSet* set : pending(sets, state)) {
    if (const Status here = check_here(directory, *set, stop); !here) {
      if (here.error().code == ErrorCode::cancelled) {
        return here;
      }
      state.damaged[set->run_id] = here.error().message;
      continue;
    }
    const Status sent = replicate_set(directory, m_remote, there, *set, stop);
    if (!sent && sent.error().code != ErrorCode::corrupt) {
      return sent;
    }
    if (!sent) {
      first = first ? sent : first;
      continue;
    }
    state.replicated.insert(set->run_id);
    state.read[set->run_id] = m_clock.now();
    RB_TRY(write_state(memory, state));
    on_change(view_of(sets, state));
  }
  return first;
}

Status Replicator::reread(Directory& directory,
                          const std::vector<BackupSet>& sets,
                          State& state,
                          std::stop_token stop) {
  std::erase_if(state.read, [&](const auto& one) { return !state.replicated.contains(one.first); });
  const SystemTime now = m_clock.now();
  if (state.reread_at == SystemTime{}) {
    state.reread_at = now; // all was read when it was sent
    return {};
  }
  const BackupSet* const set = to_reread(sets, state, now, m_settings.schedule);
  if (set == nullptr) {
    return {};
  }
  Status outcome = reread_set(directory, m_remote, *set, std::move(stop));
  if (outcome || outcome.error().code == ErrorCode::corrupt) {
    state.reread_at = now;
    state.read[set->run_id] = now;
  }
  if (!outcome && outcome.error().code == ErrorCode::corrupt) {
    state.replicated.erase(set->run_id); // and so it is sent again
  }
  return outcome;
}

void Replicator::settle(const Status& outcome, State& state) const {
  if (outcome) {
    state.failures = 0;
    state.not_before = {};
    state.trouble.reset();
    return;
  }
  ++state.failures;
  state.not_before = m_clock.now() + pause_after(state.failures, m_settings.schedule);
  const Error& error = outcome.error();
  state.trouble =
      Trouble{reason_of(error), error.message + (error.hint.empty() ? "" : "; " + error.hint)};
}

Result<View> Replicator::visit(std::stop_token stop, const OnChange& on_change) {
  auto directory = m_open_directory(m_settings.backup_dir);
  if (!directory && directory.error().code == ErrorCode::not_found) {
    return view_of({}, {}); // no run yet
  }
  if (!directory) {
    return std::move(directory).error();
  }
  RB_TRY_ASSIGN(Directory memory, Directory::open(m_settings.state_dir));
  RB_TRY_ASSIGN(auto listed, set::list_sets(*directory));
  m_keys = keys_at(m_settings.public_key_file);
  const auto sets = sets_of_host(std::move(listed), m_keys);
  State state = read_state(memory, m_remote.name());
  if (!is_due(sets, state, m_clock.now(), m_settings.schedule)) {
    return view_of(sets, state);
  }
  for (const BackupSet& set : sets) {
    if (set.state == set::SetState::complete) {
      state.tried = std::max(state.tried, set.run_id);
    }
  }
  const Status outcome = attempt(*directory, memory, sets, state, stop, on_change);
  if (!outcome && outcome.error().code == ErrorCode::cancelled) {
    return view_of(sets, state); // we are to end: that is no failure of the remote
  }
  settle(outcome, state);
  if (outcome) {
    m_last_success = m_clock.now();
  }
  RB_TRY(write_state(memory, state));
  return view_of(sets, state);
}

} // namespace rb::offsite
