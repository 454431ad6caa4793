#include "restore/cluster/workloads.hpp"

#include "archive/entry_path.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <sstream>

namespace rb::cluster {

namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 3> k_kinds{
    {{"Deployment", "deployment"}, {"DaemonSet", "daemonset"}, {"StatefulSet", "statefulset"}}};

constexpr std::string_view k_ours = "railiance-backup";

std::string_view resource_of(std::string_view kind) {
  const auto found =
      std::ranges::find(k_kinds, kind, &std::pair<std::string_view, std::string_view>::first);
  return found == k_kinds.end() ? std::string_view() : found->second;
}

/// A DNS-1123 subdomain: it can't be taken for an option.
bool is_name(std::string_view text) {
  constexpr std::size_t longest = 253;
  return !text.empty() && text.size() <= longest && text.front() != '-' && text.front() != '.' &&
         std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
         });
}

/// What all others need comes first, then namespaces with few: whoever fills his own takes no place
/// of others, where only some are named or restarted.
void sort_fairly(std::vector<Workload>& workloads) {
  std::map<std::string, std::size_t> counts;
  for (const Workload& workload : workloads) {
    ++counts[workload.name_space];
  }
  counts["kube-system"] = 0;
  std::ranges::stable_sort(
      workloads, {}, [&](const Workload& workload) { return counts.at(workload.name_space); });
}

} // namespace

std::string to_string(const Workload& workload) {
  return std::string(resource_of(workload.kind)) + "/" + workload.name + " -n " +
         workload.name_space;
}

std::vector<Workload> workloads_that_watch(std::string_view lines) {
  std::vector<Workload> found;
  std::istringstream text{std::string(lines)};
  for (std::string line; std::getline(text, line);) {
    std::istringstream words(line);
    Workload workload;
    std::string account;
    words >> workload.kind >> workload.name_space >> workload.name >> account;
    const bool ours = account.starts_with(k_ours) && workload.name.starts_with(k_ours);
    if (!resource_of(workload.kind).empty() && is_name(workload.name_space) &&
        is_name(workload.name) && is_name(account) && account != "default" && !ours) {
      found.push_back(std::move(workload));
    }
  }
  sort_fairly(found);
  return found;
}

std::vector<std::string> words_for(const std::vector<Workload>& workloads,
                                   bool restarted,
                                   const std::vector<Workload>& left) {
  constexpr std::size_t k_most = 20;
  std::vector<std::string> lines;
  if (workloads.empty()) {
    return lines;
  }
  if (restarted) {
    lines.push_back(std::to_string(workloads.size() - left.size()) +
                    " workloads that may watch the API were restarted");
  }
  const std::vector<Workload>& named = restarted ? left : workloads;
  if (!named.empty()) {
    lines.emplace_back(restarted
                           ? "not restarted:"
                           : "these may watch the API, and see nothing until they are restarted:");
  }
  for (const Workload& workload : named) {
    if (&workload - named.data() == k_most) {
      lines.push_back("  … and " + std::to_string(named.size() - k_most) + " more");
      break;
    }
    lines.push_back("  k3s kubectl rollout restart " + to_string(workload));
  }
  return lines;
}

Result<std::vector<Workload>> find_workloads_that_watch(ProcessRunner& processes,
                                                        const k3s::Kubectl& kubectl,
                                                        std::stop_token stop) {
  const ProcessSpec spec = k3s::kubectl_spec(
      kubectl,
      {"get",
       "deployments.apps,daemonsets.apps,statefulsets.apps",
       "--all-namespaces",
       "--no-headers",
       "--request-timeout=20s",
       "--output=custom-columns=KIND:.kind,NAMESPACE:.metadata.namespace,NAME:.metadata.name,"
       "ACCOUNT:.spec.template.spec.serviceAccountName"},
      std::chrono::seconds(30));
  RB_TRY_ASSIGN(const ProcessResult result, processes.run(spec, std::move(stop)));
  if (result.exit_status != 0) {
    return Error{ErrorCode::io,
                 "the workloads cannot be listed: " +
                     (result.timed_out ? "no answer" : archive::printable(result.err)),
                 {}};
  }
  return workloads_that_watch(result.out);
}

std::vector<Workload> restart_workloads(ProcessRunner& processes,
                                        const Clock& clock,
                                        const k3s::Kubectl& kubectl,
                                        const std::vector<Workload>& workloads,
                                        std::chrono::seconds limit,
                                        std::stop_token stop) {
  std::vector<Workload> left;
  const auto end = clock.steady_now() + limit;
  for (const Workload& workload : workloads) {
    const ProcessSpec spec =
        k3s::kubectl_spec(kubectl,
                          {"rollout",
                           "restart",
                           std::string(resource_of(workload.kind)) + "/" + workload.name,
                           "--namespace=" + workload.name_space,
                           "--request-timeout=10s"},
                          std::chrono::seconds(15));
    const bool in_time = clock.steady_now() < end && !stop.stop_requested();
    const Result<ProcessResult> result =
        in_time ? processes.run(spec, stop)
                : Result<ProcessResult>(Error{ErrorCode::cancelled, "no time is left", {}});
    if (!result || result->exit_status != 0) {
      left.push_back(workload);
    }
  }
  return left;
}

} // namespace rb::cluster
