#include "cli/install/rollout.hpp"

#include "cli/install/installed.hpp"
#include "cli/install/lay_down.hpp"
#include "cli/install/manifests.hpp"
#include "k3s/auto_deploy.hpp"
#include "terminal/terminal_text.hpp"

#include "base/json_member.hpp"
#include "kube/resource.hpp"

#include <algorithm>
#include <utility>

namespace rb::install {

namespace {

using kube::ResourceType;
using nlohmann::json;

constexpr ResourceType k_core_events{"", "v1", "events", true, false};

constexpr std::string_view k_our_pods = "app.kubernetes.io/name=railiance-backup";
/// The kubelet's word for a pod of ours whose image nobody brought to its node.
constexpr std::string_view k_no_image = "ErrImageNeverPull";

constexpr int k_many = 100'000;
constexpr std::size_t k_shown_bytes = 300;
/// So many looks in a row must say that only other servers' images are missing.
constexpr int k_looks_for_incomplete = 10;

int number(const json& object, const char* key) {
  return kube::int_of(object, key, k_many);
}

/// The controller of the object has seen it as it is now.
bool is_observed(const json& object) {
  return number(json_member(object, "status"), "observedGeneration") >=
         number(kube::metadata_of(object), "generation");
}

struct Ready {
  bool all = false;
  std::string text; ///< "1/1"
};

Ready judge_deployment(const json& object) {
  const json& status = json_member(object, "status");
  const json& spec = json_member(object, "spec");
  const int wanted = spec.contains("replicas") ? number(spec, "replicas") : 1;
  const int updated = number(status, "updatedReplicas");
  const int available = number(status, "availableReplicas");
  Ready ready;
  ready.all = is_observed(object) && updated >= wanted && available >= wanted &&
              number(status, "replicas") == updated;
  ready.text = std::to_string(std::min(updated, available)) + "/" + std::to_string(wanted);
  return ready;
}

Ready judge_daemon_set(const json& object) {
  const json& status = json_member(object, "status");
  const int wanted = number(status, "desiredNumberScheduled");
  const int done =
      std::min(number(status, "updatedNumberScheduled"), number(status, "numberAvailable"));
  Ready ready;
  ready.all = is_observed(object) && wanted > 0 && done >= wanted;
  ready.text = std::to_string(done) + "/" + std::to_string(wanted);
  return ready;
}

bool is_ready_pod(const json& pod) {
  for (const json& condition : json_list(json_member(pod, "status"), "conditions")) {
    if (json_text(condition, "type") == "Ready") {
      return json_text(condition, "status") == "True";
    }
  }
  return false;
}

/// Why a pod is not ready, where it says so: reason and message.
std::pair<std::string, std::string> why_not_ready(const json& pod) {
  for (const json& container : json_list(json_member(pod, "status"), "containerStatuses")) {
    const json& waiting = json_member(json_member(container, "state"), "waiting");
    const std::string reason = json_text(waiting, "reason");
    if (!reason.empty() && reason != "ContainerCreating" && reason != "PodInitializing") {
      return {reason, json_text(waiting, "message")};
    }
  }
  for (const json& condition : json_list(json_member(pod, "status"), "conditions")) {
    if (json_text(condition, "type") == "PodScheduled" &&
        json_text(condition, "status") == "False") {
      return {json_text(condition, "reason"), json_text(condition, "message")};
    }
  }
  return {};
}

/// What the pods say of themselves; true where one is on its way that is not `without_image`.
bool judge_pods(const json& pods, const std::string& this_node, Rollout& rollout) {
  bool others = false;
  for (const json& pod : pods) {
    const bool ends = kube::metadata_of(pod).contains("deletionTimestamp");
    const std::string phase = json_text(json_member(pod, "status"), "phase");
    if (ends || phase == "Succeeded" || phase == "Failed" || is_ready_pod(pod)) {
      continue;
    }
    const auto [reason, message] = why_not_ready(pod);
    const std::string node = json_text(json_member(pod, "spec"), "nodeName");
    if (reason == k_no_image && node != this_node) {
      if (std::ranges::find(rollout.without_image, node) == rollout.without_image.end()) {
        rollout.without_image.push_back(node);
      }
      continue;
    }
    others = true;
    if (!reason.empty()) {
      rollout.trouble = json_text(kube::metadata_of(pod), "name") + ": " + reason +
                        (message.empty() ? "" : ": " + terminal_text(message, k_shown_bytes));
    }
  }
  return others;
}

/// The last Warning of those that `fields` name, with its reason; empty: there is none.
std::string last_warning(kube::Client& client,
                         std::string_view name_space,
                         const std::string& fields,
                         const std::stop_token& stop) {
  kube::ListOptions options;
  options.field_selector = fields + ",type=Warning";
  const auto events = client.list_all(k_core_events, name_space, options, stop);
  std::string newest;
  std::string words;
  for (const json& event : events ? *events : json::array()) {
    const std::string time = json_text(event, "lastTimestamp");
    if (time >= newest) {
      newest = time;
      words = json_text(event, "reason") + ": " +
              terminal_text(json_text(event, "message"), k_shown_bytes);
    }
  }
  return words;
}

/// The last complaint of k3s about our manifests; empty: there is none.
std::string complaint_of_k3s(kube::Client& client, const std::stop_token& stop) {
  const std::string words = last_warning(client,
                                         k3s::k_addon_namespace,
                                         "involvedObject.kind=Addon,involvedObject.name=" +
                                             k3s::addon_name(k_laid_manifest),
                                         stop);
  return words.empty() ? words : "k3s says " + words;
}

/// What a policy (Gatekeeper, Kyverno), a quota or the pod security of the namespace says to pods
/// that they refuse: it stands in Events of who would make them, for there is no pod to say it.
std::string refusal_of_pods(kube::Client& client, const std::stop_token& stop) {
  const std::string words = last_warning(client, k_namespace, "reason=FailedCreate", stop);
  return words.empty() ? words : "no pod is made: " + words;
}

bool is_mended_by_waiting(const Error& error) {
  return error.code == ErrorCode::unavailable || error.code == ErrorCode::timeout ||
         error.code == ErrorCode::throttled || error.code == ErrorCode::conflict;
}

Error without_image(const std::vector<std::string>& nodes) {
  std::string names;
  for (const std::string& node : nodes) {
    names += (names.empty() ? "" : ", ") + terminal_text(node);
  }
  return {ErrorCode::incomplete,
          "installed here, and the image is not on the other servers yet: " + names,
          "run the same command on each of them"};
}

Error not_in_time(const Rollout& last, std::chrono::seconds timeout) {
  std::string message = "not ready after " + std::to_string(timeout.count()) + " s: " + last.line;
  if (!last.trouble.empty()) {
    message += "; " + last.trouble;
  }
  return {ErrorCode::timeout,
          std::move(message),
          "it goes on by itself; look again by the same command, or: k3s kubectl -n "
          "railiance-backup get pods, k3s kubectl -n kube-system describe addon railiance-backup"};
}

} // namespace

Result<Rollout> look_at_rollout(kube::Client& client,
                                std::string_view checksum,
                                const std::string& this_node,
                                const std::stop_token& stop) {
  Rollout rollout;
  RB_TRY_ASSIGN(const json addon, addon_of(client, stop));
  rollout.applied = applied_checksum(addon) == checksum;
  if (!rollout.applied) {
    rollout.line = "k3s takes the manifests in (it looks every 15 seconds)";
    rollout.trouble = complaint_of_k3s(client, stop);
    return rollout;
  }
  RB_TRY_ASSIGN(const json controller,
                get_if_there(client, {k_deployments, k_namespace, k_controller, ""}, stop));
  RB_TRY_ASSIGN(const json agent,
                get_if_there(client, {k_daemon_sets, k_namespace, k_agent, ""}, stop));
  const Ready controllers = judge_deployment(controller);
  const Ready agents = judge_daemon_set(agent);
  rollout.ready = !controller.is_null() && controllers.all && agents.all;
  rollout.line = "ready: controller " + controllers.text + ", agent " + agents.text;
  if (!rollout.ready) {
    kube::ListOptions options;
    options.label_selector = k_our_pods;
    RB_TRY_ASSIGN(const json pods, client.list_all(kube::k_pods, k_namespace, options, stop));
    if (judge_pods(pods, this_node, rollout)) {
      rollout.without_image.clear(); // there is more to wait for
    } else if (rollout.without_image.empty()) {
      rollout.trouble = refusal_of_pods(client, stop);
    }
  }
  return rollout;
}

Status wait_for_rollout(kube::Client& client,
                        std::string_view checksum,
                        const std::string& this_node,
                        const RolloutWait& wait,
                        const Clock& clock,
                        Waiter& waiter,
                        const std::stop_token& stop) {
  const auto end = clock.steady_now() + wait.timeout;
  Rollout last;
  int only_images = 0;
  while (true) {
    auto look = look_at_rollout(client, checksum, this_node, stop);
    if (!look && !is_mended_by_waiting(look.error())) {
      return std::move(look).error();
    }
    Rollout now = look ? *std::move(look) : Rollout{};
    if (now.line.empty()) {
      now.line = "the API server does not answer";
    }
    if (wait.on_line && (now.line != last.line || now.trouble != last.trouble)) {
      wait.on_line(now.line + (now.trouble.empty() ? "" : " (" + now.trouble + ")"));
    }
    if (now.ready) {
      return {};
    }
    last = std::move(now);
    only_images = last.without_image.empty() ? 0 : only_images + 1;
    if (only_images >= k_looks_for_incomplete) {
      return without_image(last.without_image);
    }
    if (clock.steady_now() >= end) {
      return not_in_time(last, wait.timeout);
    }
    if (!waiter.wait(wait.interval, stop)) {
      return Error{ErrorCode::cancelled, "stopped waiting; k3s goes on", {}};
    }
  }
}

} // namespace rb::install
