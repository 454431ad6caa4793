#include "controller/notices.hpp"

#include "set/retention.hpp"

#include <algorithm>

namespace rb::controller {

namespace {

using api::ConditionStatus;
using notify::Message;
using notify::MessageKind;
using status::CurrentReason;

/// Whether what is told about a topic happened before the receiver was set up does not matter: a
/// state that holds is told all the same.
enum class Nature { event, state };

struct Candidate {
  Message message;
  Nature nature = Nature::event;
};

Message message_of(MessageKind kind, std::string topic, SystemTime time, std::string title) {
  Message message;
  message.kind = kind;
  message.topic = std::move(topic);
  message.time = time;
  message.title = std::move(title);
  return message;
}

/// "what\nwhat to do: …"
std::string with_advice(std::string text, const std::string& advice) {
  return std::move(text) + "\nwhat to do: " + advice;
}

/// "run ID (NAME)".
std::string short_name_of(const RunSeen& run) {
  return run.run_id.empty() ? "the request " + run.name
                            : "run " + run.run_id + " (" + run.name + ")";
}

/// "run ID (NAME) on node N".
std::string name_of(const RunSeen& run) {
  return short_name_of(run) + (run.node.empty() ? "" : " on node " + run.node);
}

Message about(const RunSeen& run, Message message) {
  message.run_id = run.run_id;
  message.node = run.node;
  message.reason = run.reason;
  return message;
}

Message started(const RunSeen& run) {
  Message message = message_of(MessageKind::started, "start", run.start_time, "backup started");
  message.text = name_of(run) + " began at " + format_rfc3339(run.start_time);
  message = about(run, std::move(message));
  message.reason.clear();
  return message;
}

Message ended(const RunSeen& run) {
  if (run.succeeded) {
    Message message =
        message_of(MessageKind::succeeded, "run", run.completion_time, "backup complete");
    message.text = name_of(run) + " ended at " + format_rfc3339(run.completion_time);
    return about(run, std::move(message));
  }
  const bool incomplete = run.reason == api::to_string(api::Reason::incomplete);
  Message message = message_of(MessageKind::problem,
                               "run",
                               run.completion_time,
                               incomplete ? "backup incomplete" : "backup failed: " + run.reason);
  message.text =
      with_advice(name_of(run) + " ended at " + format_rfc3339(run.completion_time) + " with " +
                      run.reason + (run.message.empty() ? "" : ": " + run.message),
                  "railiance-backup show " + run.name);
  return about(run, std::move(message));
}

/// Of a run on several servers that succeeded. It has ended, so this does not pass by itself.
Message on_servers(const RunSeen& run) {
  const api::Condition& copies = *run.copies;
  const bool fine = copies.status == ConditionStatus::true_;
  Message message = message_of(fine ? MessageKind::recovered : MessageKind::problem,
                               "copies",
                               run.completion_time,
                               fine ? "backup on every server again"
                                    : "backup not on every server: " + copies.reason);
  message.text = short_name_of(run) + " ended at " + format_rfc3339(run.completion_time) +
                 " with a whole set on " + copies.message; // names those that have none
  if (!fine) {
    message.text = with_advice(std::move(message.text), "railiance-backup show " + run.name);
  }
  message.run_id = run.run_id;
  message.reason = copies.reason;
  return message;
}

std::optional<Message> copied(const RunSeen& run, SystemTime now) {
  const api::Condition& copy = *run.replicated;
  const SystemTime since = copy.last_transition_time;
  const bool fine = copy.status == ConditionStatus::true_;
  if (!fine && (copy.status == ConditionStatus::unknown || now - since < k_settled_after)) {
    return std::nullopt;
  }
  Message message =
      message_of(fine ? MessageKind::recovered : MessageKind::problem,
                 "offsite",
                 since,
                 fine ? "copy off-site complete again" : "copy off-site failed: " + copy.reason);
  const bool on_several = run.copies.has_value();
  message.text = (on_several ? "the sets of " + short_name_of(run) : "the set of " + name_of(run)) +
                 ": " + copy.message;
  if (!fine) {
    message.text = with_advice(std::move(message.text),
                               "railiance-backup show " + run.name + " (docs/offsite.md)");
  }
  message = about(run, std::move(message));
  message.node = on_several ? "" : run.node;
  message.reason = copy.reason;
  return message;
}

/// Nobody fails, and nobody copies: the process that does it is down, or hangs.
std::optional<Message>
not_copied(const RunSeen& run, std::chrono::seconds expected_interval, SystemTime now) {
  const SystemTime since = run.replicated->last_transition_time;
  if (now - since < std::max(k_copied_after, status::allowed_age(expected_interval))) {
    return std::nullopt;
  }
  Message message =
      message_of(MessageKind::problem, "offsite", since, "copy off-site does not come");
  message.text = with_advice("of " + short_name_of(run) + " since " + format_rfc3339(since) + ": " +
                                 run.replicated->message,
                             "kubectl -n railiance-backup get pods -l "
                             "app.kubernetes.io/component=offsite (docs/offsite.md)");
  message = about(run, std::move(message));
  message.reason = run.replicated->reason;
  return message;
}

Message drilled(const api::NodeFacts& node) {
  const bool passed = node.last_drill_result == "Passed"; // set::result_word
  const std::string set =
      node.last_drill_run_id.empty() ? "no set" : "set " + node.last_drill_run_id;
  Message message =
      message_of(passed ? MessageKind::recovered : MessageKind::problem,
                 "drill/" + node.node_name,
                 node.last_drill_time,
                 passed ? "drill passed again" : "drill failed: " + node.last_drill_result);
  message.text = "the drill of " + set + " on node " + node.node_name + " ended at " +
                 format_rfc3339(node.last_drill_time) + " with " + node.last_drill_result;
  if (!passed) {
    message.text =
        with_advice(std::move(message.text),
                    "read backup.log beside the sets on that node, and repeat it: "
                    "railiance-restore drill (docs/runbooks/RailianceBackupDrillFailed.md)");
  }
  message.node = node.node_name;
  message.run_id = node.last_drill_run_id;
  message.reason = node.last_drill_result;
  return message;
}

/// A run that left something out was told; the check says whether what was stored is good.
Message verified(const api::NodeFacts& node) {
  const std::string& result = node.last_verify_result; // set::result_word
  const bool passed = result == "Passed" || result == "Incomplete";
  Message message = message_of(passed ? MessageKind::recovered : MessageKind::problem,
                               "verify/" + node.node_name,
                               node.last_verify_time,
                               passed ? "verify passed again" : "verify failed: " + result);
  message.text = "the check of all " + std::to_string(node.last_verify_sets) + " sets on node " +
                 node.node_name + " ended at " + format_rfc3339(node.last_verify_time) + " with " +
                 result;
  if (!passed) {
    message.text =
        with_advice(std::move(message.text) + "; bad: " + std::to_string(node.last_verify_bad_sets),
                    "on that node: railiance-restore verify --all "
                    "(docs/runbooks/RailianceBackupVerifyFailed.md)");
  }
  message.node = node.node_name;
  message.reason = result;
  return message;
}

/// Nothing where it is neither fine nor long enough a problem, or was told otherwise: what came of
/// a run is told with the run.
std::optional<MessageKind>
kind_of(const api::Condition& current, std::chrono::seconds expected_interval, SystemTime now) {
  const auto held = now - current.last_transition_time;
  const auto reason = status::parse_current_reason(current.reason);
  if (current.status == ConditionStatus::true_) {
    return MessageKind::recovered;
  }
  const bool is_problem =
      current.status == ConditionStatus::unknown
          ? reason != CurrentReason::no_expected_interval && held >= k_settled_after
          : reason == CurrentReason::stale ||
                (reason == CurrentReason::never_ran && expected_interval.count() > 0 &&
                 held > status::allowed_age(expected_interval));
  return is_problem ? std::optional(MessageKind::problem) : std::nullopt;
}

std::optional<Message> judged(const NoticeView& view, SystemTime now) {
  const api::Condition& current = *view.current;
  const auto kind = kind_of(current, view.expected_interval, now);
  if (!kind) {
    return std::nullopt;
  }
  const char* const title = *kind == MessageKind::recovered ? "there is a current backup again"
                            : current.status == ConditionStatus::unknown
                                ? "nobody knows whether there is a current backup"
                                : "no backup for longer than expected";
  Message message = message_of(*kind, "current", current.last_transition_time, title);
  message.text = current.reason + ": " + current.message;
  if (*kind == MessageKind::problem) {
    message.text = with_advice(std::move(message.text), "railiance-backup status");
  }
  message.reason = current.reason;
  return message;
}

Message asked_for(SystemTime time) {
  Message message = message_of(MessageKind::test, "test", time, "test message");
  message.text =
      "asked for at " + format_rfc3339(time) + ": messages of railiance-backup arrive here";
  return message;
}

std::vector<Candidate> candidates(const NoticeView& view, const Taste& taste, SystemTime now) {
  std::vector<Candidate> all;
  if (view.active) {
    all.push_back({started(*view.active)});
  }
  if (view.last) {
    all.push_back({ended(*view.last)});
  }
  if (view.copies && taste.copies) {
    all.push_back({on_servers(*view.copies)});
  }
  if (view.offsite) {
    if (auto message = copied(*view.offsite, now)) {
      all.push_back({*std::move(message)});
    }
  }
  if (view.waiting) {
    if (auto message = not_copied(*view.waiting, view.expected_interval, now)) {
      all.push_back({*std::move(message)});
    }
  }
  for (const api::NodeFacts& node : view.nodes) {
    if (!node.last_drill_result.empty()) {
      all.push_back({drilled(node)});
    }
    if (!node.last_verify_result.empty()) {
      all.push_back({verified(node)});
    }
  }
  if (view.current) {
    if (auto message = judged(view, now)) {
      all.push_back({*std::move(message), Nature::state});
    }
  }
  if (view.test_asked) {
    all.push_back({asked_for(*view.test_asked)});
  }
  return all;
}

/// A time that is still to come was written by a clock that was wrong: it holds nothing up.
SystemTime believable(SystemTime time, SystemTime now) {
  return time > now + set::k_clock_tolerance ? SystemTime{} : time;
}

const api::ToldTopic* find(const api::ReceiverState& told, const std::string& topic) {
  const auto found = std::ranges::find(told.topics, topic, &api::ToldTopic::topic);
  return found == told.topics.end() ? nullptr : &*found;
}

/// Whether it is to be told; a success that ends a problem becomes the word of that.
bool is_due(Candidate& candidate,
            const Taste& taste,
            const api::ReceiverState& told,
            SystemTime now) {
  Message& message = candidate.message;
  const api::ToldTopic* const known = find(told, message.topic);
  const SystemTime since =
      candidate.nature == Nature::event ? believable(told.since, now) : SystemTime{};
  if (known != nullptr && known->time == message.time) {
    return false;
  }
  if (message.time <= (known == nullptr ? since : believable(known->time, now))) {
    return false;
  }
  const bool ends_problem = known != nullptr && known->problem;
  switch (message.kind) {
  case MessageKind::problem:
    return taste.problems;
  case MessageKind::test:
    return true;
  case MessageKind::started:
    return taste.starts;
  case MessageKind::recovered:
    return taste.recoveries && ends_problem;
  case MessageKind::succeeded:
    if (!taste.successes && taste.recoveries && ends_problem) {
      message.kind = MessageKind::recovered;
      message.title = "backups succeed again";
      return true;
    }
    return taste.successes;
  }
  return false;
}

} // namespace

std::vector<Message> notices(const NoticeView& view,
                             const Taste& taste,
                             const api::ReceiverState& told,
                             SystemTime now) {
  std::vector<Message> due;
  for (Candidate& candidate : candidates(view, taste, now)) {
    if (is_due(candidate, taste, told, now)) {
      candidate.message.cluster = view.cluster;
      if (!view.cluster.empty()) {
        candidate.message.title = view.cluster + ": " + candidate.message.title;
      }
      due.push_back(std::move(candidate.message));
    }
  }
  std::ranges::stable_sort(due, {}, &Message::time);
  return due;
}

api::ReceiverState with_told(api::ReceiverState told, const Message& message) {
  std::erase_if(told.topics,
                [&](const api::ToldTopic& topic) { return topic.topic == message.topic; });
  if (told.topics.size() >= api::k_told_topics_limit) {
    told.topics.erase(std::ranges::min_element(told.topics, {}, &api::ToldTopic::time));
  }
  told.topics.push_back({message.topic, message.time, message.kind == MessageKind::problem});
  return told;
}

} // namespace rb::controller
