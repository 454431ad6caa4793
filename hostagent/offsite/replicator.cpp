#include "offsite/replicator.hpp"

#include "offsite/copy_set.hpp"
#include "offsite/kit.hpp"
#include "offsite/namesakes.hpp"
#include "offsite/rclone_words.hpp"
#include "set/catalogue.hpp"
#include "set/marks.hpp"
#include "set/names.hpp"
#include "sign/minisign.hpp"

#include "base/fd.hpp"

#include <algorithm>
#include <iterator>

namespace rb::offsite {

using set::BackupSet;
using set::Directory;

namespace {

/// It may be of that one file: damage, or a provider that takes none of its size or gives it back
/// no more, in words that nobody knows.
bool may_be_of_one(const Error& error) {
  return error.code == ErrorCode::corrupt || error.code == ErrorCode::io;
}

/// After so many sets that end in unknown words it is taken for the remote's failure.
constexpr unsigned k_unknown_limit = 2;

/// Whatever comes next would end in the same way. A full remote is not that: retention may free it.
/// Nor is a set of another server: others may be ours alone.
bool stops_all(const Error& error) {
  return !may_be_of_one(error) && error.code != ErrorCode::no_space &&
         error.code != ErrorCode::already_exists;
}

constexpr std::size_t k_public_key_limit_bytes = 4096;

/// None before the agent of the host has made one.
std::vector<sign::PublicKey> keys_at(const std::string& path) {
  const auto text = read_text_file(path, k_public_key_limit_bytes);
  const auto key = text ? sign::PublicKey::parse(*text) : Result<sign::PublicKey>(text.error());
  return key ? std::vector{*key} : std::vector<sign::PublicKey>{};
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

/// Once they are judged. A host that keeps a thousand sets names a million in them.
std::vector<BackupSet> without_catalogues(std::vector<BackupSet> sets) {
  for (BackupSet& set : sets) {
    if (set.manifest) {
      std::vector<set::ManifestLink>().swap(set.manifest->catalogue);
    }
  }
  return sets;
}

View view_of(const std::vector<BackupSet>& sets, const State& state, SystemTime last_success) {
  View view;
  view.remote = state.remote;
  for (const BackupSet& set : sets) {
    if (set.state == set::SetState::complete && set.manifest) {
      const auto damaged = state.damaged.find(set.version());
      view.sets[set.run_id] = {set.manifest->cluster_backup_uid,
                               state.replicated.contains(set.version()),
                               damaged == state.damaged.end() ? std::string() : damaged->second,
                               state.outdated.contains(set.version())};
    }
  }
  view.trouble = state.trouble;
  view.failures = state.failures;
  view.last_success = last_success;
  return view;
}

/// What is done at the remote in one visit.
struct Attempt {
  const ReplicatorSettings& settings;
  RemoteStore& remote;
  const Clock& clock;
  const std::vector<sign::PublicKey>& keys; ///< The host's; none: not known yet.
  Directory& directory;                     ///< Only read.
  Directory& memory;                        ///< Where the state is kept.
  const std::vector<BackupSet>& sets;
  State& state;
  std::stop_token stop;
  std::function<void()> on_change;
  std::vector<RemoteFile> there = {};

  [[nodiscard]] Status run() {
    RB_TRY_ASSIGN(there, remote.list(stop));
    state.replicated = still_there(state, sets, there);
    state.compared = clock.now();
    // What is wrong with one set or one file stops nothing else: the first failure is
    // returned at the end.
    Status sent = send_sets();
    if (!sent && stops_all(sent.error())) {
      return sent;
    }
    Status kit = send_kit({remote, there, directory, keys, state, stop});
    if (!kit && stops_all(kit.error())) {
      return sent ? kit : sent;
    }
    Status removed = remove_old();
    Status read = reread();
    for (const Status* const outcome : {&sent, &kit, &removed}) {
      if (!*outcome) {
        return *outcome;
      }
    }
    return read;
  }

private:
  /// All that is pending. One set that is damaged, here or on its way, holds up no other, nor does
  /// one that another server sent, nor one that the remote does not take. Errors: the first of
  /// them; one that would be that of every set ends it.
  [[nodiscard]] Status send_sets() const {
    RB_TRY_ASSIGN(const auto others, nodes_of_namesakes(remote, there, sets, state, stop));
    Status first;
    unsigned unknown = 0;
    state.damaged.clear();
    RB_TRY(leave_out_outdated());
    for (const BackupSet* set : pending(sets, state)) {
      if (const auto other = others.find(set->run_id); other != others.end()) {
        first = first ? Status(sent_by_another(remote.name(), other->first, other->second)) : first;
        continue;
      }
      Status sent = send(*set);
      if (!sent && !may_be_of_one(sent.error())) {
        return sent;
      }
      first = first ? sent : first;
      unknown += !sent && sent.error().code == ErrorCode::io ? 1U : 0U;
      if (unknown == k_unknown_limit) {
        break;
      }
    }
    return first;
  }

  /// One that is damaged here, or was replaced meanwhile, is left out.
  [[nodiscard]] Status send(const BackupSet& set) const {
    if (Status here = check_here(directory, set, stop); !here) {
      if (here.error().code == ErrorCode::cancelled) {
        return here;
      }
      if (!set::is_superseded(directory, set)) { // else the next visit sends what counts now
        state.damaged[set.version()] = here.error().message;
      }
      return {};
    }
    if (Status sent = replicate_set(directory, remote, there, set, stop); !sent) {
      return set::is_superseded(directory, set) ? Status() : sent;
    }
    state.replicated.insert(set.version());
    state.read[set.version()] = clock.now();
    RB_TRY(write_state(memory, state));
    on_change();
    return {};
  }

  struct OverThere {
    std::vector<BackupSet> vouched; ///< For by the host's key, or one that its newest set names.
    std::vector<BackupSet> others;  ///< Planted, of an earlier key, or of another cluster.
    std::size_t left_out = 0;       ///< Older ones that were not looked at.
  };

  /// What the others are nobody knows here: they must push out no set that is vouched for, nor make
  /// it look outdated.
  [[nodiscard]] Result<OverThere> read_over_there() const {
    RB_TRY_ASSIGN(RemoteListing listing, read_remote(remote, {}, stop));
    OverThere found;
    found.left_out = listing.left_out;
    RB_TRY_ASSIGN(found.vouched, set::list_sets(listing.directory));
    if (keys.empty()) {
      return found;
    }
    const auto verdicts = set::judge_catalogue(
        found.vouched, keys, set::KeyOrigin::outside, set::peers_named(sets, keys));
    const auto first = std::stable_partition(
        found.vouched.begin(), found.vouched.end(), [&](const BackupSet& set) {
          return !set::is_tampering(verdicts.at(set.run_id).verdict);
        });
    found.others.assign(std::move_iterator(first), std::move_iterator(found.vouched.end()));
    found.vouched.erase(first, found.vouched.end());
    return found;
  }

  /// Only where there may be too many is the catalogue over there read.
  [[nodiscard]] Status leave_out_outdated() const {
    state.outdated.clear();
    const auto waiting = pending(sets, state);
    std::vector<RemoteFile> all = there;
    for (const BackupSet* const set : waiting) {
      all.push_back({set::manifest_name(set->run_id, set->generation), 0});
    }
    if (waiting.empty() || !are_too_many(all, settings.keep_last)) {
      return {};
    }
    RB_TRY_ASSIGN(const OverThere over_there, read_over_there());
    state.outdated = outdated(waiting, over_there.vouched, settings.keep_last, clock.now());
    return {};
  }

  [[nodiscard]] Status remove_old() const {
    for (const std::string& name : superseded(there, sets, state)) {
      RB_TRY(remote.remove(name, stop));
    }
    if (settings.keep_last == 0) {
      return {};
    }
    RB_TRY_ASSIGN(const auto there_now, remote.list(stop));
    if (!are_too_many(there_now, settings.keep_last)) {
      return {};
    }
    RB_TRY_ASSIGN(const auto restored, set::read_last_restore(directory));
    // Where there are too many to look at all of them, the next visit sees older ones.
    RB_TRY_ASSIGN(const OverThere over_there, read_over_there());
    bool any = false;
    for (const auto* const alike : {&over_there.vouched, &over_there.others}) {
      for (const std::string& run_id : to_remove(*alike,
                                                 sets,
                                                 settings.keep_last,
                                                 restored ? restored->run_id : std::string(),
                                                 clock.now())) {
        for (const std::string& name : removal_order(there_now, run_id)) {
          RB_TRY(remote.remove(name, stop));
        }
        any = true;
      }
    }
    if (!any && over_there.left_out > 0) {
      return too_many_to_count(over_there.left_out);
    }
    return {};
  }

  [[nodiscard]] Error too_many_to_count(std::size_t left_out) const {
    return {ErrorCode::unsupported,
            remote.name() + ": " + std::to_string(left_out) +
                " sets more than can be looked at, of which none is removed: manifests that name "
                "many sets are too large for offsite.keepLast=" +
                std::to_string(settings.keep_last),
            "set a smaller one, or let a rule of the provider remove the oldest"};
  }

  /// One set in its turn; one that rotted is not replicated any more.
  [[nodiscard]] Status reread() const {
    std::erase_if(state.read,
                  [&](const auto& one) { return !state.replicated.contains(one.first); });
    const SystemTime now = clock.now();
    if (state.reread_at == SystemTime{}) {
      state.reread_at = now; // all was read when it was sent
      return {};
    }
    const BackupSet* const set = to_reread(sets, state, now, settings.schedule);
    if (set == nullptr) {
      return {};
    }
    Status outcome = reread_set(directory, remote, *set, stop);
    if (!outcome && set::is_superseded(directory, *set)) {
      return {};
    }
    if (outcome || outcome.error().code == ErrorCode::corrupt) {
      state.reread_at = now;
      state.read[set->version()] = now;
    }
    if (!outcome && outcome.error().code == ErrorCode::corrupt) {
      state.replicated.erase(set->version()); // and so it is sent again
    }
    return outcome;
  }
};

void settle(const Status& outcome, SystemTime now, const Schedule& schedule, State& state) {
  state.unfinished = !outcome;
  if (outcome) {
    state.failures = 0;
    state.not_before = {};
    state.trouble.reset();
    return;
  }
  ++state.failures;
  state.not_before = now + pause_after(state.failures, schedule);
  const Error& error = outcome.error();
  state.trouble =
      Trouble{reason_of(error), error.message + (error.hint.empty() ? "" : "; " + error.hint)};
}

} // namespace

std::size_t View::pending() const {
  return static_cast<std::size_t>(std::ranges::count_if(sets, [](const auto& set) {
    return !set.second.replicated && set.second.damaged.empty() && !set.second.outdated;
  }));
}

std::size_t View::replicated() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(sets, [](const auto& set) { return set.second.replicated; }));
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

Result<View> Replicator::visit(std::stop_token stop, const OnChange& on_change) {
  auto directory = m_open_directory(m_settings.backup_dir);
  if (!directory && directory.error().code == ErrorCode::not_found) {
    State none;
    none.remote = m_remote.name();
    return view_of({}, none, m_last_success); // no run yet
  }
  if (!directory) {
    return std::move(directory).error();
  }
  RB_TRY_ASSIGN(Directory memory, Directory::open(m_settings.state_dir));
  const auto begin = m_clock.steady_now();
  RB_TRY_ASSIGN(auto listed, set::list_sets(*directory));
  const auto keys = keys_at(m_settings.public_key_file);
  const auto sets = without_catalogues(sets_of_host(std::move(listed), keys));
  m_look_took = m_clock.steady_now() - begin;
  State state = read_state(memory, m_remote.name());
  if (!is_due(sets, state, m_clock.now(), m_settings.schedule)) {
    return view_of(sets, state, m_last_success);
  }
  for (const BackupSet& set : sets) {
    if (set.state == set::SetState::complete) {
      state.tried = std::max(state.tried, set.version());
    }
  }
  // Kept before anything is done: whatever ends us, the next visit goes on.
  state.unfinished = true;
  RB_TRY(write_state(memory, state));
  const auto tell = [&] { on_change(view_of(sets, state, m_last_success)); };
  const Status outcome =
      Attempt{m_settings, m_remote, m_clock, keys, *directory, memory, sets, state, stop, tell}
          .run();
  if (!outcome && outcome.error().code == ErrorCode::cancelled) {
    // We are to end: that is no failure of the remote.
    return view_of(sets, state, m_last_success);
  }
  settle(outcome, m_clock.now(), m_settings.schedule, state);
  if (outcome) {
    m_last_success = m_clock.now();
  }
  RB_TRY(write_state(memory, state));
  return view_of(sets, state, m_last_success);
}

} // namespace rb::offsite
