#include "cases/cases.hpp"
#include "controller/agents.hpp"
#include "controller/run_checks.hpp"
#include "datastore/detect.hpp"
#include "k3s/host_settings.hpp"
#include "support/map_files.hpp"

namespace rb::cases {

namespace {

/// What the agent beside a server with that configuration says, its disk being as k3s makes it.
api::Datastore reported_by_agent(const k3s::ServerSettings& settings) {
  const bool external = settings.has("datastore-endpoint");
  const bool disabled = settings.is_on("disable-etcd");
  const bool etcd = !external && !disabled;
  const auto endpoint = external ? datastore::Endpoint::external : datastore::Endpoint::none;
  return datastore::reported_as(datastore::detect({true, etcd, false, endpoint, disabled, false}));
}

controller::Observed cluster_of(const std::filesystem::path& directory) {
  controller::Observed observed;
  observed.now = parse_run_id("20260101T020000Z").value_or(SystemTime{});
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    const std::string node = entry.path().stem().string();
    const test::MapFiles files{{std::string(k3s::k_usual_config), contents_of(entry.path())}};
    const k3s::HostSettings read = k3s::read_host_settings(files);
    observed.agents[node] = {"agent-" + node, node, true};
    observed.servers[node].datastore =
        read.problem.empty() ? reported_by_agent(read.settings) : api::Datastore::unknown;
  }
  return observed;
}

std::string said_of_named(const controller::Observed& observed, const std::string& node) {
  api::ClusterBackup request;
  request.meta.uid = "u";
  request.spec.node_name = node;
  request.status.start_time = observed.now;
  const auto verdict = controller::check_run({observed, request});
  return verdict ? verdict->message : std::string();
}

} // namespace

Verdict check_roles(const std::filesystem::path& directory) {
  const controller::Observed observed = cluster_of(directory);
  const auto chosen = controller::choose_node(observed, {});
  if (!chosen || observed.servers.at(*chosen).datastore != api::Datastore::embedded_etcd) {
    return {false, "the run goes to " + chosen.value_or("nobody") + ", which has no etcd"};
  }
  for (const std::string& node : controller::nodes_with(observed, api::Datastore::none)) {
    const std::string said = said_of_named(observed, node);
    if (said.find("nodes with a datastore: ") == std::string::npos) {
      return {false, "--node " + node + ": who has etcd is not said: " + said};
    }
  }
  return {true, "the run goes to " + *chosen};
}

} // namespace rb::cases
