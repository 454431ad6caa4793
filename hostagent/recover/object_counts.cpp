#include "recover/object_counts.hpp"

#include "recover/steps.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <sstream>

namespace rb::recover {

namespace {

/// Made, renewed and removed by the server and its controllers all the time, or by a restart.
constexpr std::array<std::string_view, 18> k_restless{"events",
                                                      "leases",
                                                      "pods",
                                                      "replicasets",
                                                      "controllerrevisions",
                                                      "services/endpoints",
                                                      "endpointslices",
                                                      "jobs",
                                                      "minions",
                                                      "csinodes",
                                                      "masterleases",
                                                      "ranges",
                                                      "ipaddresses",
                                                      "servicecidrs",
                                                      "apiregistration.k8s.io/apiservices",
                                                      "k3s.cattle.io/etcdsnapshotfiles",
                                                      "k3s.cattle.io/addons",
                                                      "(other)"};

} // namespace

std::map<std::string, std::string> list_paths(std::string_view api_resources,
                                              const kinds::ApiServices& services) {
  std::map<std::string, std::string> paths;
  std::istringstream lines{std::string(api_resources)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream stream(line);
    std::vector<std::string> words;
    for (std::string word; stream >> word;) {
      words.push_back(word);
    }
    if (words.size() < 4) { // name, (short names,) API version, namespaced, kind
      continue;
    }
    const std::string& named = words[words.size() - 3];
    const std::size_t slash = named.find('/');
    const std::string group = slash == std::string::npos ? "" : named.substr(0, slash);
    const std::string version = slash == std::string::npos ? named : named.substr(slash + 1);
    const kinds::Origin origin = services.origin(group, version);
    if (origin != kinds::Origin::elsewhere) {
      paths.try_emplace(kinds::storage_prefix(group, words[0], origin),
                        kinds::path_of(group, version) + "/" + words[0]);
    }
  }
  return paths;
}

Result<std::uint64_t> count_of_list(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("items") || !json["items"].is_array()) {
    return Error{ErrorCode::corrupt, "the API server's answer is not a list", {}};
  }
  const auto metadata = json.find("metadata");
  const bool more = metadata != json.end() && metadata->is_object() &&
                    metadata->contains("remainingItemCount") &&
                    (*metadata)["remainingItemCount"].is_number_unsigned();
  return json["items"].size() + (more ? (*metadata)["remainingItemCount"].get<std::uint64_t>() : 0);
}

Result<ObjectCounts>
count_objects(ProcessRunner& processes, const Kubectl& kubectl, const ObjectCounts& wanted) {
  const auto ask = [&](std::vector<std::string> arguments) -> Result<std::string> {
    RB_TRY_ASSIGN(
        ProcessResult result,
        processes.run(kubectl_spec(kubectl, std::move(arguments), std::chrono::seconds(60)), {}));
    if (result.exit_status != 0) {
      return Error{ErrorCode::unavailable, "the objects could not be counted", {}};
    }
    return std::move(result.out);
  };
  // It fails when one API service of many is not there yet, and still prints the rest.
  RB_TRY_ASSIGN(const ProcessResult listed,
                processes.run(kubectl_spec(kubectl,
                                           {"api-resources", "--verbs=list", "--no-headers"},
                                           std::chrono::seconds(60)),
                              {}));
  RB_TRY_ASSIGN(const std::string registered,
                ask({"get", std::string("--raw=") + kinds::k_api_services_path}));
  RB_TRY_ASSIGN(const auto services, kinds::ApiServices::parse(registered));
  const auto paths = list_paths(listed.out, services);
  ObjectCounts counts;
  for (const auto& [kind, expected] : wanted) {
    const auto path = paths.find(kind);
    if (path != paths.end()) {
      RB_TRY_ASSIGN(const std::string list, ask({"get", "--raw=" + path->second + "?limit=1"}));
      RB_TRY_ASSIGN(counts[kind], count_of_list(list));
    }
  }
  return counts;
}

CountComparison compare_counts(const ObjectCounts& expected, const ObjectCounts& found) {
  CountComparison comparison;
  for (const auto& [kind, count] : expected) {
    const auto* const restless = std::find(k_restless.begin(), k_restless.end(), kind);
    const bool may_differ = restless != k_restless.end();
    const auto here = found.find(kind);
    if (here == found.end()) {
      if (!may_differ) {
        comparison.differences.push_back(kind + ": not counted, the API has no such list");
      }
      continue;
    }
    if (here->second != count) {
      comparison.differences.push_back(kind + ": " + std::to_string(here->second) +
                                       ", the backup has " + std::to_string(count) +
                                       (may_differ ? " (the server changes these itself)" : ""));
    }
    if (here->second < count && !may_differ) {
      comparison.missing_kinds.push_back(kind);
    }
  }
  return comparison;
}

Status do_compare(const Plan& plan, Ports& ports, Outcome& outcome) {
  const Kubectl kubectl{plan.k3s_program, plan.kubeconfig};
  RB_TRY_ASSIGN(const ObjectCounts found,
                count_objects(ports.processes, kubectl, ports.set.objects()));
  CountComparison comparison = compare_counts(ports.set.objects(), found);
  outcome.differences = std::move(comparison.differences);
  outcome.missing_kinds = std::move(comparison.missing_kinds);
  ports.progress.on_line(std::to_string(found.size()) + " kinds of objects counted");
  return {};
}

} // namespace rb::recover
