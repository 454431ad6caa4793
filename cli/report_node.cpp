// What `status` says of one server.
#include "cli/report.hpp"
#include "terminal/format.hpp"

namespace rb::cli {

namespace {

std::string drill_text(const api::NodeFacts& node, SystemTime now) {
  if (node.last_drill_time == SystemTime{}) {
    return "never";
  }
  return node.last_drill_result + " " + ago(node.last_drill_time, now) + ", " +
         (node.last_drill_run_id.empty() ? "no set" : node.last_drill_run_id) +
         (node.last_drill_booted ? ", booted" : "");
}

/// Of a check of all sets.
std::string verify_text(const api::NodeFacts& node, SystemTime now) {
  return node.last_verify_result + " " + ago(node.last_verify_time, now) + ", " +
         std::to_string(node.last_verify_sets) + " sets" +
         (node.last_verify_bad_sets == 0
              ? std::string()
              : ", " + std::to_string(node.last_verify_bad_sets) +
                    " of them BAD (on that node, railiance-restore verify --all)");
}

std::string artifacts_text(const api::NodeFacts& node) {
  const auto kind = node.datastore == api::Datastore::sqlite ? api::DatastoreKind::sqlite
                                                             : api::DatastoreKind::etcd;
  std::string text;
  for (const api::ArtifactType type : api::k_all_artifacts) {
    const auto found = node.artifacts.find(type);
    text += (text.empty() ? "" : ", ") + std::string(api::stored_word(type, kind)) + " " +
            (found == node.artifacts.end() ? "none" : format_size(found->second.size_bytes));
  }
  return text;
}

/// Empty where all is the host's own.
std::string untrusted_text(const api::NodeFacts& node) {
  return node.untrusted_sets + node.untrusted_files == 0
             ? std::string()
             : "; NOT WHAT THE HOST MADE: " + std::to_string(node.untrusted_sets) + " sets, " +
                   std::to_string(node.untrusted_files) +
                   " files beside them (railiance-restore verify --all)";
}

std::string datastore_text(api::Datastore datastore) {
  switch (datastore) {
  case api::Datastore::unknown:
    break;
  case api::Datastore::embedded_etcd:
    return "embedded etcd";
  case api::Datastore::sqlite:
    return "SQLite";
  case api::Datastore::external:
    return "external: back it up with its own tools";
  case api::Datastore::none:
    return "none on this node: no backups are made here";
  }
  return {};
}

/// Of a member that votes nothing.
std::string member_text(api::Member member) {
  switch (member) {
  case api::Member::unknown:
  case api::Member::voting:
    break;
  case api::Member::learner:
    return "; ITS MEMBER DOES NOT VOTE YET: no backups are made here";
  case api::Member::no_quorum:
    return "; ITS MEMBER HAS NO QUORUM: no backups are made here";
  }
  return {};
}

} // namespace

Rows node_rows(const api::NodeFacts& node, SystemTime now) {
  Rows rows;
  rows.push_back({"node " + node.node_name,
                  "agent " + (node.version.empty() ? "unknown" : node.version) + " reported " +
                      ago(node.report_time, now) +
                      (node.clock_anomaly ? "; ITS CLOCK IS BEHIND ITS BACKUPS" : "")});
  if (node.datastore != api::Datastore::unknown) { // an agent that does not say it
    rows.push_back({"  datastore", datastore_text(node.datastore) + member_text(node.member)});
  }
  rows.push_back({"  sets",
                  std::to_string(node.complete_sets) + " complete, " +
                      std::to_string(node.incomplete_sets) + " incomplete, " +
                      std::to_string(node.damaged_sets) + " damaged; " +
                      format_size(node.retained_bytes) + untrusted_text(node)});
  rows.push_back({"  artifacts", artifacts_text(node)});
  rows.push_back({node.datastore == api::Datastore::sqlite ? "  SQLite" : "  etcd",
                  "revision " + std::to_string(node.etcd_revision) + ", " +
                      std::to_string(node.etcd_keys) + " keys"});
  rows.push_back({"  disk",
                  format_size(node.disk_free_bytes) + " free of " +
                      format_size(node.disk_size_bytes) + "; the next backup takes up to " +
                      format_size(node.next_run_bytes)});
  rows.push_back({"  recipients",
                  std::to_string(node.recipients) +
                      (node.recipients == 1 ? " (one lost key would lose all backups)" : "") +
                      (node.recipient_rule.empty() ? "" : ", by " + node.recipient_rule)});
  if (node.old_recipient_sets != 0) {
    rows.push_back({"  OLD KEYS",
                    std::to_string(node.old_recipient_sets) +
                        (node.old_recipient_sets == 1 ? " set opens" : " sets open") +
                        " with other keys than those of .sops.yaml now: on that node, "
                        "`railiance-restore rewrap --all --sops .sops.yaml -i OLD-KEYS`"});
  }
  rows.push_back({"  drill", drill_text(node, now)});
  if (!node.last_verify_result.empty()) { // only where a timer does it
    rows.push_back({"  verify", verify_text(node, now)});
  }
  return rows;
}

std::string ago(SystemTime time, SystemTime now) {
  return time > now ? "in " + format_age(time - now) : format_age(now - time) + " ago";
}

} // namespace rb::cli
