#include "restore/cluster/plan.hpp"

#include "k3s/command.hpp"
#include "restore/cluster/checks.hpp"

#include <algorithm>

namespace rb::cluster {

namespace {

constexpr const char* k_kubeconfig = "/etc/rancher/k3s/k3s.yaml";

void append(std::vector<Check>& all, std::vector<Check> some) {
  std::move(some.begin(), some.end(), std::back_inserter(all));
}

Plan make_plan(const ObservedHost& host, const SetFacts& set, const Wishes& wishes) {
  Plan plan;
  plan.run_id = set.run_id;
  plan.data_dir = host.data_dir;
  plan.k3s_program = host.k3s_program;
  plan.bare = puts_back(host, set, wishes);
  plan.keep_config = plan.bare && wishes.keep_config;
  plan.replacements = wishes.replacements;
  std::erase_if(plan.replacements, [](const Replacement& one) { return one.keeps(); });
  plan.was_active = host.service == k3s::ServiceState::active;
  const ServerSettings& settings = effective_settings(host, set, plan.bare && !plan.keep_config);
  plan.kubeconfig = settings.value("write-kubeconfig");
  if (!plan.kubeconfig.starts_with('/')) {
    plan.kubeconfig = k_kubeconfig;
  }
  plan.carried = k3s::carried_flags(settings);
  if (!host.host_local && !settings.has("disable-agent")) {
    plan.carried.emplace_back("--disable-agent"); // the reset asks for the plugin otherwise
  }
  for (const Step step : k_steps) {
    if (step != Step::put_back || plan.bare) {
      plan.steps.push_back(step);
    }
  }
  return plan;
}

std::string put_back_line(const Plan& plan) {
  if (plan.keep_config) {
    return "put token and manifests of the backup back, and the image of the kit; the "
           "configuration "
           "of this host stays";
  }
  std::string line =
      "put token, configuration, unit and manifests of the backup back, and the image of the kit";
  for (const Replacement& one : plan.replacements) {
    line += (&one == &plan.replacements.front() ? "; " : ", ") + one.from + " becomes " + one.to;
  }
  return line;
}

std::string line_for(Step step, const Plan& plan) {
  switch (step) {
  case Step::decrypt:
    return "decrypt the snapshot to " + plan.snapshot_path() + " (mode 0600)";
  case Step::stop:
    return "stop k3s, and see that no server process is left";
  case Step::save_state:
    return "copy tokens and certificates to " + plan.work_dir() + "/saved";
  case Step::put_back:
    return put_back_line(plan);
  case Step::reset: {
    std::string line =
        "k3s server --cluster-reset --cluster-reset-restore-path=" + plan.snapshot_path() +
        " --data-dir=" + plan.data_dir + " --etcd-s3=false";
    for (const std::string& flag : plan.carried) {
      line += " " + flag;
    }
    return line + (plan.bare ? " (token in the environment)" : "");
  }
  case Step::start:
    return "start k3s";
  case Step::ready:
    return "wait until the API is ready";
  case Step::compare:
    return "compare the number of objects of every kind with the manifest";
  case Step::clean_up:
    return "remove the decrypted snapshot";
  }
  return {};
}

} // namespace

std::string_view to_string(Step step) {
  switch (step) {
  case Step::decrypt:
    return "decrypt";
  case Step::stop:
    return "stop";
  case Step::save_state:
    return "save-state";
  case Step::put_back:
    return "put-back";
  case Step::reset:
    return "reset";
  case Step::start:
    return "start";
  case Step::ready:
    return "ready";
  case Step::compare:
    return "compare";
  case Step::clean_up:
    return "clean-up";
  }
  return {};
}

Result<Step> parse_step(std::string_view text) {
  const auto* const found = std::find_if(
      k_steps.begin(), k_steps.end(), [&](Step step) { return to_string(step) == text; });
  if (found == k_steps.end()) {
    return Error{ErrorCode::corrupt, "not a step of a restore", {}};
  }
  return *found;
}

bool Decision::refused() const {
  return code() != ExitCode::done;
}

ExitCode Decision::code() const {
  const auto found = std::find_if(checks.begin(), checks.end(), [](const Check& check) {
    return check.verdict == Verdict::refuse;
  });
  return found == checks.end() ? ExitCode::done : found->code;
}

Decision decide(const ObservedHost& host, const SetFacts& set, const Wishes& wishes) {
  Decision decision;
  append(decision.checks, check_set_facts(set, wishes));
  const bool opened = !decision.refused();
  append(decision.checks, check_host(host));
  if (opened) { // else there is nothing yet that the host could be held against
    append(decision.checks, check_fit(host, set, wishes));
    append(decision.checks, check_settings(host, set, wishes));
    if (puts_back_configuration(host, set, wishes)) {
      decision.checks.push_back(check_named_files(host.named));
    }
    append(decision.checks, check_addresses(host, set, wishes));
  }
  decision.plan = make_plan(host, set, wishes);
  return decision;
}

std::vector<std::string> describe(const Plan& plan) {
  std::vector<std::string> lines;
  for (const Step step : plan.steps) {
    lines.push_back(line_for(step, plan));
  }
  return lines;
}

} // namespace rb::cluster
