#include "status/families.hpp"

#include <array>
#include <charconv>
#include <functional>

namespace rb::status {

namespace {

using api::ArtifactFacts;
using api::NodeFacts;

double number(std::int64_t value) {
  return static_cast<double>(value);
}
double number(std::uint64_t value) {
  return static_cast<double>(value);
}
double number(SystemTime time) {
  return static_cast<double>(time.time_since_epoch().count());
}
double number(bool value) {
  return value ? 1 : 0;
}

/// Of an agent that does not say it: etcd.
api::DatastoreKind kind_of(const NodeFacts& node) {
  return node.datastore == api::Datastore::sqlite ? api::DatastoreKind::sqlite
                                                  : api::DatastoreKind::etcd;
}

/// Families over all nodes, in the order in which they are added.
class Builder {
public:
  explicit Builder(const std::vector<NodeFacts>& nodes) : m_nodes(nodes) {}

  template <typename Value> void add(const char* name, const char* help, Value value) {
    Family& family = begin(name, help);
    for (const NodeFacts& node : m_nodes) {
      family.samples.push_back({{{"node", node.node_name}}, number(std::invoke(value, node))});
    }
  }

  /// One sample for each kind of artifact, known or not.
  template <typename Value> void add_by_artifact(const char* name, const char* help, Value value) {
    Family& family = begin(name, help);
    for (const NodeFacts& node : m_nodes) {
      for (const api::ArtifactType type : api::k_all_artifacts) {
        const auto found = node.artifacts.find(type);
        const ArtifactFacts facts = found == node.artifacts.end() ? ArtifactFacts{} : found->second;
        family.samples.push_back({{{"artifact", std::string(api::stored_word(type, kind_of(node)))},
                                   {"node", node.node_name}},
                                  number(std::invoke(value, facts))});
      }
    }
  }

  /// One sample for each of `words`, from a function of node and word.
  template <typename Words, typename Value>
  void
  add_by(const char* name, const char* help, const char* label, const Words& words, Value value) {
    Family& family = begin(name, help);
    for (const NodeFacts& node : m_nodes) {
      for (const auto& word : words) {
        family.samples.push_back(
            {{{label, std::string(word)}, {"node", node.node_name}}, number(value(node, word))});
      }
    }
  }

  std::vector<Family> families;

private:
  Family& begin(const char* name, const char* help) {
    return families.emplace_back(Family{std::string("railiance_backup_") + name, help, {}});
  }
  const std::vector<NodeFacts>& m_nodes;
};

void add_times(Builder& all) {
  all.add("facts_timestamp_seconds",
          "Unix time at which the backup directory was last looked at.",
          &NodeFacts::report_time);
  all.add("never_ran",
          "1 until the first complete backup with the datastore is in the backup directory.",
          [](const NodeFacts& node) { return node.last_success_time == SystemTime{}; });
  all.add("last_complete_timestamp_seconds",
          "Unix time at which the newest complete backup with the datastore ended; 0: none.",
          &NodeFacts::last_success_time);
  all.add_by_artifact(
      "last_success_timestamp_seconds",
      "Unix time at which the newest verified artifact of that kind was stored; 0: none.",
      &ArtifactFacts::last_success_time);
  all.add("last_attempt_timestamp_seconds",
          "Unix time at which the last attempt at a backup ended, whatever came of it; 0: none.",
          &NodeFacts::last_attempt_time);
  constexpr std::array<std::string_view, 3> k_states{"Succeeded", "Incomplete", "Failed"};
  all.add_by("last_attempt_state",
             "1 for what came of the last attempt at a backup; all 0: there was none.",
             "state",
             k_states,
             [](const NodeFacts& node, std::string_view state) {
               return api::to_string(node.last_attempt_result) == state;
             });
}

void add_sizes(Builder& all) {
  all.add_by_artifact("artifact_size_bytes",
                      "Size of the newest verified artifact of that kind, encrypted; 0: none.",
                      &ArtifactFacts::size_bytes);
  all.add_by_artifact("artifact_reference_size_bytes",
                      "Median size of that artifact in the sets before the newest; 0: none.",
                      &ArtifactFacts::reference_size_bytes);
  constexpr std::array<std::string_view, 3> k_states{"complete", "incomplete", "damaged"};
  all.add_by("retained_sets",
             "Backup sets in the backup directory, by state.",
             "state",
             k_states,
             [](const NodeFacts& node, std::string_view state) {
               return state == "complete"     ? node.complete_sets
                      : state == "incomplete" ? node.incomplete_sets
                                              : node.damaged_sets;
             });
  all.add("untrusted_sets",
          "Backup sets that are not what this host signed: changed, planted, stripped of their "
          "signature, or with a gap before them.",
          &NodeFacts::untrusted_sets);
  all.add("untrusted_files",
          "Files beside the sets (railiance-restore, RESTORE.md, .last-backup) that somebody else "
          "put there.",
          &NodeFacts::untrusted_files);
  all.add("retained_size_bytes", "Size of all backup sets.", &NodeFacts::retained_bytes);
  all.add("disk_free_bytes",
          "Free space of the file system of the backup directory.",
          &NodeFacts::disk_free_bytes);
  all.add("disk_size_bytes",
          "Size of the file system of the backup directory.",
          &NodeFacts::disk_size_bytes);
  all.add("next_run_size_bytes",
          "What the next backup should find free: the newest one and a quarter.",
          &NodeFacts::next_run_bytes);
}

void add_content(Builder& all) {
  constexpr std::array<std::string_view, 4> k_datastores{
      "EmbeddedEtcd", "SQLite", "External", "None"};
  all.add_by("datastore",
             "1 for the datastore of the server, or where no agent says it of the newest set.",
             "kind",
             k_datastores,
             [](const NodeFacts& node, std::string_view word) {
               return api::to_string(node.datastore) == word;
             });
  all.add("datastore_revision",
          "Revision of the newest verified copy of the datastore, etcd or SQLite; 0: none.",
          &NodeFacts::etcd_revision);
  all.add("datastore_keys",
          "Live keys in the newest verified copy of the datastore, etcd or SQLite.",
          &NodeFacts::etcd_keys);
  // Their names of before there was another datastore than etcd.
  all.add("etcd_revision",
          "The same as railiance_backup_datastore_revision, also of SQLite.",
          &NodeFacts::etcd_revision);
  all.add("etcd_keys",
          "The same as railiance_backup_datastore_keys, also of SQLite.",
          &NodeFacts::etcd_keys);
  all.add("helm_releases",
          "Helm releases in the newest verified Helm artifact.",
          &NodeFacts::helm_releases);
  all.add("helm_undecodable",
          "Stored objects in the newest verified Helm artifact that are no releases.",
          &NodeFacts::helm_undecodable);
  all.add("recipients",
          "Public keys that the newest complete backup is encrypted to; 0: there is no backup.",
          &NodeFacts::recipients);
  all.add(
      "old_recipient_sets",
      "Backup sets that other keys open than those of .sops.yaml now; 0 where that is not known.",
      &NodeFacts::old_recipient_sets);
}

void add_proofs(Builder& all) {
  all.add("last_drill_timestamp_seconds",
          "Unix time at which the last drill ended; 0: none.",
          &NodeFacts::last_drill_time);
  all.add("last_drill_passed",
          "1 when the last drill passed; 0 when it did not, and when there was none.",
          [](const NodeFacts& node) { return node.last_drill_result == "Passed"; });
  all.add("last_drill_booted",
          "1 when the last drill booted a server from the set.",
          &NodeFacts::last_drill_booted);
  all.add(
      "last_drill_duration_seconds", "Duration of the last drill.", &NodeFacts::last_drill_seconds);
  all.add("last_verify_timestamp_seconds",
          "Unix time at which the last check of all sets ended; 0: none.",
          &NodeFacts::last_verify_time);
  all.add(
      "last_verify_bad_sets",
      "Sets that the last check of all found damaged, not the host's, or not opened by its key.",
      &NodeFacts::last_verify_bad_sets);
  all.add("last_restore_timestamp_seconds",
          "Unix time at which the cluster was last restored from a set of here; 0: never.",
          &NodeFacts::last_restore_time);
  all.add("clock_anomaly",
          "1 while the clock is behind the newest set: ages mean nothing, nothing is pruned.",
          &NodeFacts::clock_anomaly);
}

std::string escaped(std::string_view text, bool in_label) {
  std::string out;
  for (const char character : text) {
    if (character == '\\' || (in_label && character == '"')) {
      out.push_back('\\');
    }
    out.append(character == '\n' ? "\\n" : std::string(1, character));
  }
  return out;
}

std::string text_of(double value) {
  std::array<char, 32> buffer{};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return error == std::errc{} ? std::string(buffer.data(), end) : "NaN";
}

std::string labels_of(const Sample& sample) {
  std::string text;
  for (const auto& [name, value] : sample.labels) {
    text += (text.empty() ? "{" : ",") + name + "=\"" + escaped(value, true) + "\"";
  }
  return text.empty() ? text : text + "}";
}

} // namespace

std::vector<Family> families_of(const std::vector<NodeFacts>& nodes) {
  Builder all(nodes);
  add_times(all);
  add_sizes(all);
  add_content(all);
  add_proofs(all);
  return std::move(all.families);
}

Family expected_interval(std::chrono::seconds interval) {
  return {"railiance_backup_expected_interval_seconds",
          "How often a backup is expected: the longest pause of the schedule; 0: not known.",
          {{{}, static_cast<double>(interval.count())}}};
}

std::string exposition(const std::vector<Family>& families) {
  std::string text;
  for (const Family& family : families) {
    text += "# HELP " + family.name + " " + escaped(family.help, false) + "\n";
    text += "# TYPE " + family.name + " gauge\n";
    for (const Sample& sample : family.samples) {
      text += family.name + labels_of(sample) + " " + text_of(sample.value) + "\n";
    }
  }
  return text;
}

} // namespace rb::status
