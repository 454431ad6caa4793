#include "status/disk_facts.hpp"

#include "set/retention.hpp"
#include "set/sets.hpp"
#include "set/signed_files.hpp"

#include <algorithm>

namespace rb::status {

namespace {

using api::AttemptResult;
using api::NodeFacts;
using set::BackupSet;
using set::SetState;

/// A backup from which a cluster can be restored, as `.last-backup` understands it.
bool is_whole_backup(const BackupSet& set) {
  return set.state == SetState::complete && set::can_restore_cluster(set);
}

std::uint64_t median(std::vector<std::uint64_t> sizes) {
  if (sizes.empty()) {
    return 0;
  }
  const auto middle = sizes.begin() + static_cast<std::ptrdiff_t>(sizes.size() / 2);
  std::nth_element(sizes.begin(), middle, sizes.end());
  return *middle;
}

void count_sets(const std::vector<BackupSet>& sets, NodeFacts& facts) {
  for (const BackupSet& set : sets) {
    facts.retained_bytes += set.size_bytes;
    switch (set.state) {
    case SetState::complete:
      ++facts.complete_sets;
      break;
    case SetState::incomplete:
      ++facts.incomplete_sets;
      break;
    case SetState::damaged:
      ++facts.damaged_sets;
      break;
    }
  }
}

/// Of each kind the newest artifact, and the median size of those before it. What a server made of
/// SQLite before it went over to etcd has another size for the same objects.
void judge_artifacts(const std::vector<BackupSet>& sets, NodeFacts& facts) {
  std::map<api::ArtifactType, std::vector<std::uint64_t>> earlier;
  std::map<api::ArtifactType, api::DatastoreKind> newest;
  for (const BackupSet& set : sets) {
    if (!set.manifest || set.state == SetState::damaged) {
      continue;
    }
    for (const api::ArtifactStatus& stored : set.manifest->artifacts) {
      const api::DatastoreKind kind = api::kind_of_file(stored.file_name);
      const auto [found, is_new] = facts.artifacts.try_emplace(stored.type);
      if (is_new) {
        newest[stored.type] = kind;
        found->second.last_success_time = set.manifest->completion_time;
        found->second.size_bytes = stored.size_bytes;
      } else if (newest[stored.type] == kind) {
        earlier[stored.type].push_back(stored.size_bytes);
      }
    }
  }
  for (auto& [type, sizes] : earlier) {
    facts.artifacts[type].reference_size_bytes = median(std::move(sizes));
  }
}

/// As in crds/ (recipientRule, lastSuccessK3sVersion, maxLength).
constexpr std::size_t k_text_limit = 256;

std::string proof_word(const set::Manifest& manifest) {
  if (!manifest.proof) {
    return {};
  }
  return std::string(manifest.proof->proven() ? api::k_proven
                                              : api::to_string(manifest.proof->reason));
}

/// What the newest sets hold; `sets` are newest first, so the first one has it.
void judge_content(const std::vector<BackupSet>& sets, NodeFacts& facts) {
  bool helm_seen = false;
  for (const BackupSet& set : sets) {
    if (!set.manifest || set.state == SetState::damaged) {
      continue;
    }
    const set::Manifest& manifest = *set.manifest;
    if (facts.etcd_revision == 0 && manifest.snapshot) {
      facts.etcd_revision = manifest.snapshot->revision;
      facts.etcd_keys = manifest.snapshot->total_keys;
      facts.datastore = manifest.snapshot->kind == api::DatastoreKind::sqlite
                            ? api::Datastore::sqlite
                            : api::Datastore::embedded_etcd; // an agent knows what it is now
    }
    if (!helm_seen && manifest.helm) {
      helm_seen = true;
      facts.helm_releases = manifest.helm->releases;
      facts.helm_undecodable = manifest.helm->undecodable_total;
    }
    if (facts.recipients == 0 && set.state == SetState::complete) {
      facts.recipients = static_cast<std::int64_t>(manifest.recipients.size());
      facts.recipient_rule = api::bounded(manifest.recipient_rule, k_text_limit);
    }
    if (facts.last_success_run_id.empty() && is_whole_backup(set)) {
      facts.last_success_run_id = set.run_id;
      facts.last_success_time = manifest.completion_time;
      facts.last_success_k3s_version = api::bounded(manifest.k3s_version, k_text_limit);
      facts.last_success_proof = proof_word(manifest);
    }
  }
}

/// A set that is damaged is no use to anybody, whoever opens it. One that was rewrapped opens as
/// before while its old files are there.
void judge_recipients(const DiskView& view, NodeFacts& facts) {
  if (view.present_recipients.empty()) {
    return;
  }
  facts.old_recipient_sets = std::ranges::count_if(view.sets, [&](const BackupSet& set) {
    return set.manifest && set.state != SetState::damaged &&
           (!set.manifest->is_for_just(view.present_recipients) ||
            view.with_older_files.contains(set.run_id));
  });
}

AttemptResult result_of(const std::string& reason) {
  if (reason == api::to_string(api::Reason::completed)) {
    return AttemptResult::succeeded;
  }
  return reason == api::to_string(api::Reason::incomplete) ? AttemptResult::incomplete
                                                           : AttemptResult::failed;
}

/// The log says how it ended; where that was lost, the newest manifest does. A set without a
/// manifest says nothing: its run may still go on.
void judge_attempt(const DiskView& view, NodeFacts& facts) {
  if (view.last_attempt) {
    facts.last_attempt_time = view.last_attempt->time;
    facts.last_attempt_reason = view.last_attempt->result;
    facts.last_attempt_result = result_of(view.last_attempt->result);
  }
  const auto newest = std::find_if(view.sets.begin(), view.sets.end(), [](const BackupSet& set) {
    return set.manifest.has_value();
  });
  if (newest == view.sets.end() || newest->time <= facts.last_attempt_time) {
    return;
  }
  const bool complete = newest->manifest->complete;
  facts.last_attempt_time = newest->manifest->completion_time;
  facts.last_attempt_result = complete ? AttemptResult::succeeded : AttemptResult::incomplete;
  facts.last_attempt_reason =
      std::string(api::to_string(complete ? api::Reason::completed : api::Reason::incomplete));
}

void judge_markers(const DiskView& view, NodeFacts& facts) {
  if (view.last_drill) {
    facts.last_drill_time = view.last_drill->time;
    facts.last_drill_result = view.last_drill->result;
    facts.last_drill_run_id = view.last_drill->run_id;
    facts.last_drill_seconds =
        std::chrono::ceil<std::chrono::seconds>(view.last_drill->duration).count();
    facts.last_drill_booted = view.last_drill->booted;
  }
  if (view.last_verify) {
    facts.last_verify_time = view.last_verify->time;
    facts.last_verify_result = view.last_verify->result;
    facts.last_verify_sets = view.last_verify->sets;
    facts.last_verify_bad_sets = view.last_verify->bad_sets;
  }
  if (view.last_restore) {
    facts.last_restore_time = view.last_restore->time;
  }
}

/// As railiance-restore judges them: sets of another server, which a host has that came back by
/// them, are known by the own ones that name it.
void judge_trust(set::Directory& directory, std::span<const sign::PublicKey> keys, DiskView& view) {
  if (keys.empty()) {
    return;
  }
  const std::vector<set::PeerKey> peers = set::peers_named(view.sets, keys);
  std::vector<sign::PublicKey> all(keys.begin(), keys.end());
  for (const set::PeerKey& peer : peers) {
    all.push_back(peer.key);
  }
  const auto verdicts = set::judge_catalogue(view.sets, keys, set::KeyOrigin::outside, peers);
  view.untrusted_sets = std::ranges::count_if(verdicts, [](const auto& set) {
    return set::is_tampering(set.second.verdict) ||
           set.second.verdict == set::Provenance::removed_before;
  });
  view.untrusted_files = std::ranges::count_if(
      set::judge_signed_files(directory, view.sets, verdicts, all),
      [](const set::SignedFile& file) { return set::is_tampering(file.trust); });
}

} // namespace

api::NodeFacts facts_of(const DiskView& view, SystemTime now) {
  NodeFacts facts;
  facts.report_time = now;
  facts.version = RB_VERSION;
  count_sets(view.sets, facts);
  judge_artifacts(view.sets, facts);
  judge_content(view.sets, facts);
  judge_recipients(view, facts);
  judge_attempt(view, facts);
  judge_markers(view, facts);
  facts.untrusted_sets = view.untrusted_sets;
  facts.untrusted_files = view.untrusted_files;
  facts.disk_free_bytes = view.space.available_bytes;
  facts.disk_size_bytes = view.space.total_bytes;
  facts.next_run_bytes = set::expected_run_bytes(view.sets);
  facts.clock_anomaly = !view.sets.empty() && now + set::k_clock_tolerance < view.sets.front().time;
  return facts;
}

Result<DiskView> view_disk(set::Directory& directory, std::span<const sign::PublicKey> keys) {
  DiskView view;
  RB_TRY_ASSIGN(view.sets, set::list_sets(directory));
  RB_TRY_ASSIGN(view.with_older_files, set::runs_with_older_files(directory));
  RB_TRY_ASSIGN(view.space, directory.fs().space());
  RB_TRY_ASSIGN(view.last_attempt, set::read_last_line(directory, "backup"));
  view.last_drill = set::read_last_drill(directory).value_or(std::nullopt);
  view.last_verify = set::read_last_verify(directory).value_or(std::nullopt);
  view.last_restore = set::read_last_restore(directory).value_or(std::nullopt);
  judge_trust(directory, keys, view);
  return view;
}

Result<api::NodeFacts> read_facts(const std::string& path,
                                  SystemTime now,
                                  std::span<const sign::PublicKey> keys,
                                  std::vector<std::string> present_recipients) {
  RB_TRY_ASSIGN(set::Directory directory, set::Directory::open_existing(path));
  RB_TRY_ASSIGN(DiskView view, view_disk(directory, keys));
  view.present_recipients = std::move(present_recipients);
  return facts_of(view, now);
}

} // namespace rb::status
