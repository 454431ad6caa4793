#include "offsite/decide.hpp"

#include "set/names.hpp"
#include "set/retention.hpp"

#include "base/json_fields.hpp"

#include <algorithm>
#include <map>

namespace rb::offsite {

using set::BackupSet;
using set::NameKind;
using set::SetState;

namespace {

constexpr std::string_view k_state_schema = "railiance.io/offsite-state/v1";
constexpr std::size_t k_state_limit_bytes = 1U << 20U;
constexpr unsigned k_keep_limit = 1'000'000;

std::string newest_complete(const std::vector<BackupSet>& sets) {
  std::string newest;
  for (const BackupSet& set : sets) {
    if (set.state == SetState::complete) {
      newest = std::max(newest, set.version());
    }
  }
  return newest;
}

} // namespace

static void fields(JsonFields& json, Trouble& trouble) {
  std::string word(api::to_string(trouble.reason));
  json.required("reason", word);
  trouble.reason = api::parse_reason(word).value_or(api::Reason::remote_failed);
  json.required("message", trouble.message);
}

static void fields(JsonFields& json, State& state) {
  std::string schema(k_state_schema);
  json.required("schema", schema);
  if (schema != k_state_schema) {
    json.fail({ErrorCode::unsupported, "of another schema", {}});
  }
  json.required("remote", state.remote);
  json.required("replicated", state.replicated);
  if (!std::ranges::all_of(state.replicated,
                           [](const auto& text) { return set::parse_version(text).has_value(); })) {
    json.fail({ErrorCode::corrupt, "not a run id", {}});
  }
  json.always("kit", state.kit);
  json.always("tried", state.tried);
  json.always("failures", state.failures);
  json.always("unfinished", state.unfinished);
  json.required("notBefore", state.not_before);
  json.required("compared", state.compared);
  json.always("read", state.read);
  json.always("rereadAt", state.reread_at);
  json.always("damaged", state.damaged);
  json.always("outdated", state.outdated);
  json.optional("trouble", state.trouble);
}

std::string serialize(const State& state) {
  return to_json_fields(state).dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

Result<State> parse_state(std::string_view text) {
  auto state = from_json_fields<State>(json_of(text));
  return state ? std::move(state)
               : Result<State>(std::move(state).error().within(std::string(k_state_name)));
}

State read_state(set::Directory& directory, const std::string& remote) {
  State fresh;
  fresh.remote = remote;
  const auto text = set::read_text(directory, std::string(k_state_name), k_state_limit_bytes);
  auto state = text ? parse_state(*text) : Result<State>(text.error());
  return state && state->remote == remote ? *std::move(state) : fresh;
}

Status write_state(set::Directory& directory, const State& state) {
  return set::replace_file(directory, std::string(k_state_name), as_bytes(serialize(state)));
}

std::vector<const BackupSet*> pending(const std::vector<BackupSet>& sets, const State& state) {
  std::vector<const BackupSet*> found;
  for (const BackupSet& set : sets) {
    if (set.state == SetState::complete && !state.replicated.contains(set.version()) &&
        !state.damaged.contains(set.version()) && !state.outdated.contains(set.version())) {
      found.push_back(&set);
    }
  }
  std::ranges::sort(found, std::ranges::greater{}, &BackupSet::run_id);
  return found;
}

bool is_due(const std::vector<BackupSet>& sets,
            const State& state,
            SystemTime now,
            const Schedule& schedule) {
  const bool compare =
      (!state.replicated.empty() || !state.damaged.empty() || !state.outdated.empty()) &&
      (now >= state.compared + schedule.compare_every || now < state.compared);
  if (pending(sets, state).empty() && !state.unfinished && !compare &&
      to_reread(sets, state, now, schedule) == nullptr) {
    return false;
  }
  const bool paused = state.failures > 0 && now < state.not_before &&
                      state.not_before - now <= schedule.longest_retry;
  return !paused || newest_complete(sets) > state.tried;
}

const BackupSet* to_reread(const std::vector<BackupSet>& sets,
                           const State& state,
                           SystemTime now,
                           const Schedule& schedule) {
  const bool waits = now < state.reread_at + schedule.reread_every && now >= state.reread_at;
  if (schedule.reread_every.count() == 0 || waits) {
    return nullptr;
  }
  const auto read_at = [&](const BackupSet& set) {
    const auto known = state.read.find(set.version());
    return known == state.read.end() ? SystemTime{} : known->second;
  };
  const BackupSet* longest_ago = nullptr;
  for (const BackupSet& set : sets) {
    if (set.state == SetState::complete && state.replicated.contains(set.version()) &&
        (longest_ago == nullptr || read_at(set) < read_at(*longest_ago))) {
      longest_ago = &set;
    }
  }
  return longest_ago;
}

std::chrono::seconds pause_after(unsigned failures, const Schedule& schedule) {
  std::chrono::seconds pause = schedule.first_retry;
  for (unsigned i = 1; i < failures && pause < schedule.longest_retry; ++i) {
    pause *= 2;
  }
  return std::min(pause, schedule.longest_retry);
}

std::vector<RemoteFile> files_of(const BackupSet& set) {
  std::vector<RemoteFile> files;
  if (!set.manifest) {
    return files;
  }
  for (const api::ArtifactStatus& artifact : set.manifest->artifacts) {
    files.push_back({artifact.file_name, artifact.size_bytes});
  }
  const std::string signature = set::signature_name(set.run_id, set.generation);
  const auto beside = std::ranges::find(set.files, signature, &set::SetFile::name);
  if (beside != set.files.end()) {
    files.push_back({signature, beside->size_bytes});
  }
  const std::string manifest = set::manifest_name(set.run_id, set.generation);
  const auto own = std::ranges::find(set.files, manifest, &set::SetFile::name);
  files.push_back({manifest, own == set.files.end() ? 0 : own->size_bytes});
  return files;
}

std::set<std::string> still_there(const State& state,
                                  const std::vector<BackupSet>& sets,
                                  const std::vector<RemoteFile>& remote) {
  std::set<std::pair<std::string_view, std::uint64_t>> listed; // there may be 100,000
  for (const RemoteFile& file : remote) {
    listed.emplace(file.name, file.size_bytes);
  }
  std::set<std::string> found;
  for (const BackupSet& set : sets) {
    if (state.replicated.contains(set.version()) &&
        std::ranges::all_of(files_of(set), [&](const RemoteFile& file) {
          return listed.contains({file.name, file.size_bytes});
        })) {
      found.insert(set.version());
    }
  }
  return found;
}

std::vector<std::string> superseded(const std::vector<RemoteFile>& remote,
                                    const std::vector<BackupSet>& sets,
                                    const State& state) {
  std::map<std::string, std::vector<RemoteFile>> by_run;
  for (const RemoteFile& file : remote) {
    by_run[set::classify_name(file.name).run_id].push_back(file);
  }
  std::vector<std::string> names;
  for (const BackupSet& set : sets) {
    const auto there = by_run.find(set.run_id);
    if (set.generation == 0 || !state.replicated.contains(set.version()) || there == by_run.end()) {
      continue;
    }
    for (const std::string& name : removal_order(there->second, set.run_id)) {
      if (set::classify_name(name).generation < set.generation) {
        names.push_back(name);
      }
    }
  }
  return names;
}

bool are_too_many(const std::vector<RemoteFile>& remote, unsigned keep_last) {
  std::set<std::string> run_ids;
  for (const RemoteFile& file : remote) {
    auto info = set::classify_name(file.name);
    if (info.kind == NameKind::manifest) {
      run_ids.insert(std::move(info.run_id));
    }
  }
  return keep_last != 0 && run_ids.size() > keep_last;
}

std::vector<std::string> to_remove(const std::vector<BackupSet>& remote,
                                   const std::vector<BackupSet>& sets,
                                   unsigned keep_last,
                                   const std::string& last_restored,
                                   SystemTime now) {
  if (keep_last == 0) {
    return {};
  }
  set::RetentionPolicy policy;
  policy.keep_last = static_cast<int>(std::min(keep_last, k_keep_limit));
  policy.last_restored_run_id = last_restored;
  const auto kinds = set::kinds_of_sets(remote);
  std::map<std::string, std::size_t> votes; // oldest first
  for (const auto& kind : kinds) {
    const auto plan = set::select_for_removal(set::sets_like(kind, remote), policy, now);
    for (const std::string& run_id : plan.run_ids) {
      ++votes[run_id];
    }
  }
  std::vector<std::string> run_ids;
  run_ids.reserve(votes.size());
  for (const auto& [run_id, count] : votes) {
    run_ids.push_back(run_id);
  }
  std::erase_if(run_ids, [&](const std::string& run_id) {
    const auto there = std::ranges::find(remote, run_id, &BackupSet::run_id);
    // What has no manifest that can be read is of every kind: all of them must be done with it.
    const std::size_t needed = there->manifest ? 1 : kinds.size();
    return there->state == SetState::incomplete || votes[run_id] < needed ||
           std::ranges::find(sets, run_id, &BackupSet::run_id) != sets.end();
  });
  return run_ids;
}

std::set<std::string> outdated(const std::vector<const BackupSet*>& waiting,
                               const std::vector<BackupSet>& remote,
                               unsigned keep_last,
                               SystemTime now) {
  std::vector<BackupSet> all = remote;
  std::vector<const BackupSet*> missing;
  for (const BackupSet* const set : waiting) {
    if (std::ranges::find(remote, set->run_id, &BackupSet::run_id) == remote.end()) {
      missing.push_back(set);
      all.push_back(*set);
    }
  }
  // As another server sees it: nothing of this is on its disk, nor does it know our .last-restore.
  const auto removed = to_remove(all, {}, keep_last, {}, now);
  std::set<std::string> versions;
  for (const BackupSet* const set : missing) {
    const bool another_is_newer = std::ranges::any_of(remote, [&](const BackupSet& there) {
      return there.manifest && set->manifest && there.time > set->time &&
             !there.manifest->node_name.empty() &&
             there.manifest->node_name != set->manifest->node_name;
    });
    if (another_is_newer && std::ranges::find(removed, set->run_id) != removed.end()) {
      versions.insert(set->version());
    }
  }
  return versions;
}

std::vector<std::string> removal_order(const std::vector<RemoteFile>& remote,
                                       const std::string& run_id) {
  std::vector<std::string> names;
  for (const RemoteFile& file : remote) {
    const auto info = set::classify_name(file.name);
    if (info.run_id != run_id) {
      continue;
    }
    if (info.kind == NameKind::manifest) {
      names.insert(names.begin(), file.name);
    } else if (info.kind == NameKind::artifact || info.kind == NameKind::signature) {
      names.push_back(file.name);
    }
  }
  return names;
}

} // namespace rb::offsite
