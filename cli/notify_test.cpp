// notify-test: asks the controller for a test message to each receiver of notices, and waits for
// what came of it. The request is an annotation of BackupStatus, the answer stands in its status.
#include "cli/commands.hpp"
#include "cli/connect.hpp"
#include "cli/report.hpp"
#include "terminal/terminal_text.hpp"

#include "kube/resource.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace rb::cli {

namespace {

using api::ReceiverState;

constexpr const char* k_topic = "test";
constexpr std::chrono::seconds k_patience{45}; ///< Three attempts, and the pauses between them.
constexpr std::chrono::milliseconds k_interval{1000};

const api::ToldTopic* last_test(const ReceiverState& state) {
  const auto found = std::ranges::find(state.topics, k_topic, &api::ToldTopic::topic);
  return found == state.topics.end() ? nullptr : &*found;
}

/// Later than all that was told, whatever our clock says.
SystemTime time_of_test(const std::vector<ReceiverState>& receivers, SystemTime now) {
  for (const ReceiverState& state : receivers) {
    now = std::max(now, state.since + std::chrono::seconds(1));
    if (const api::ToldTopic* last = last_test(state)) {
      now = std::max(now, last->time + std::chrono::seconds(1));
    }
  }
  return now;
}

bool has_it(const ReceiverState& state, SystemTime asked) {
  const api::ToldTopic* const last = last_test(state);
  return last != nullptr && last->time >= asked;
}

/// "Webhook: has it", or why not.
std::string line_of(const ReceiverState& state, SystemTime asked) {
  return state.receiver + ": " +
         (has_it(state, asked)  ? "has it"
          : state.failing_since ? "cannot be told: " + terminal_text(state.last_error)
                                : "no answer yet; it is tried again");
}

nlohmann::json result_json(const std::vector<ReceiverState>& receivers, SystemTime asked) {
  nlohmann::json list = nlohmann::json::array();
  for (const ReceiverState& state : receivers) {
    list.push_back({{"receiver", state.receiver},
                    {"arrived", has_it(state, asked)},
                    {"lastError", state.last_error}});
  }
  return list;
}

} // namespace

int notify_test(Api& api, OutputFormat output, Io& io) {
  auto object = read_backup_status(api.client(), io.stop);
  if (!object) {
    const bool absent = object.error().code == ErrorCode::not_found;
    return fail(io, absent ? not_installed(object.error()) : object.error(), api.server());
  }
  if (object->status.notified.empty()) {
    return fail(io,
                Error{ErrorCode::unsupported,
                      "nobody is told: the controller knows of no receiver",
                      "set notify.deadMan or notify.webhook of the chart (docs/monitoring.md)"});
  }
  const SystemTime asked = time_of_test(object->status.notified, io.clock.now());
  const auto written = api.client().patch(
      {kube::k_backup_statuses, "", std::string(api::k_backup_status_name), ""},
      kube::PatchType::merge,
      {{"metadata", {{"annotations", {{api::k_notify_test_annotation, format_rfc3339(asked)}}}}}},
      io.stop);
  if (!written) {
    return fail(io, written.error(), api.server());
  }
  const auto all_have_it = [&] {
    return std::ranges::all_of(object->status.notified,
                               [&](const ReceiverState& state) { return has_it(state, asked); });
  };
  const auto end = io.clock.steady_now() + k_patience;
  while (!all_have_it() && io.clock.steady_now() < end && !io.stop.stop_requested()) {
    api.client().runtime().waiter->wait(k_interval, io.stop);
    if (auto seen = read_backup_status(api.client(), io.stop)) {
      object = std::move(seen);
    }
  }
  if (output == OutputFormat::json) {
    io.out << json_lines(result_json(object->status.notified, asked));
  } else {
    for (const ReceiverState& state : object->status.notified) {
      io.out << line_of(state, asked) << '\n';
    }
  }
  return static_cast<int>(all_have_it() ? ExitCode::done : ExitCode::failed);
}

} // namespace rb::cli
