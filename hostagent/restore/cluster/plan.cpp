#include "restore/cluster/plan.hpp"

#include "k3s/command.hpp"
#include "k3s/credentials.hpp"
#include "restore/cluster/checks.hpp"
#include "restore/cluster/database.hpp"
#include "restore/cluster/put_back.hpp"
#include "set/names.hpp"
#include "set/restore_guide.hpp"

#include "api/artifacts.hpp"

#include <algorithm>

namespace rb::cluster {

namespace {

using set::shell_word;

void append(std::vector<Check>& all, std::vector<Check> some) {
  std::move(some.begin(), some.end(), std::back_inserter(all));
}

/// Those of `named` that go with server/tls and server/cred, and that no copy brings back.
template <typename Named>
std::vector<std::string>
credentials_of(const Named& named, const std::string& data_dir, const ServerSettings& settings) {
  std::vector<std::string> paths;
  for (const auto& one : named) {
    if (k3s::is_operators_credential(one.path, data_dir, settings)) {
      paths.push_back(one.path);
    }
  }
  return paths;
}

/// The server that made the set has the name that k3s will give this host.
bool is_of_this_host(const ObservedHost& host, const SetFacts& set) {
  const std::string name = node_name_of(host.settings, host.host_name);
  const bool with_id = host.settings.is_on("with-node-id");
  return !name.empty() &&
         (set.node_name == name || (with_id && set.node_name.starts_with(name + "-")));
}

bool only_service_has(const ServerSettings& settings, std::string_view flag) {
  const std::vector<k3s::Setting> found = settings.of(flag);
  return std::ranges::any_of(
      found, [](const k3s::Setting& one) { return one.origin != k3s::Origin::config; });
}

/// With `vpn-auth` k3s's etcd has the address of the VPN (v1.35.5, v1.36.3; issue 14515) or that of
/// the default route (before). Where the service alone has that setting the reset is not told of
/// it, for it holds a key: it is told the address. Empty: it finds the right one by itself, or
/// nobody knows it.
std::string address_on_vpn(const ObservedHost& host,
                           const std::vector<datastore::Member>& members,
                           const ServerSettings& settings) {
  const bool unseen =
      only_service_has(settings, "vpn-auth") || only_service_has(settings, "vpn-auth-file");
  if (!unseen || settings.has("node-ip")) {
    return {};
  }
  for (const datastore::Member& member : members) {
    std::string address = address_in(member.peer_url);
    if (!address.empty() && host.network.has_address(address)) {
      return address;
    }
  }
  return {};
}

Plan make_plan(const ObservedHost& host, const SetFacts& set, const Wishes& wishes) {
  Plan plan;
  plan.run_id = set.run_id;
  plan.data_dir = host.data_dir;
  plan.k3s_program = host.k3s_program;
  plan.datastore = set.datastore;
  plan.bare = puts_back(host, set, wishes);
  plan.keep_config = plan.bare && wishes.keep_config;
  plan.replacements = wishes.replacements;
  std::erase_if(plan.replacements, [](const Replacement& one) { return one.keeps(); });
  plan.was_active = host.service == k3s::ServiceState::active;
  const bool from_set = plan.bare && !plan.keep_config;
  const ServerSettings& settings = effective_settings(host, set, from_set);
  plan.credentials = from_set ? credentials_of(host.named, host.data_dir, settings)
                              : credentials_of(host.named_here, host.data_dir, settings);
  plan.kubeconfig = k3s::kubeconfig_of(settings);
  plan.carried =
      k3s::carried_flags(settings, is_of_this_host(host, set) ? set.settings : ServerSettings());
  if (const std::string address =
          address_on_vpn(host, plan.bare ? set.peers : host.data.members, settings);
      !address.empty()) {
    plan.carried.push_back("--node-ip=" + address);
  }
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
           "configuration of this host stays";
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
  case Step::put_token:
    return "put the server token of the backup back";
  case Step::reset:
    return database_of(plan.datastore).line(plan);
  case Step::set_aside:
    return "move " + plan.data_dir +
           "/server/db/etcd to etcd-old-<seconds>; authorities, keys and passwords of the cluster "
           "come from the restored server";
  case Step::name_server:
    return plan.joining
               ? "write `server: " + plan.joining->supervisor_url + "` to " + plan.joining->drop_in
               : std::string();
  case Step::start:
    return "start k3s";
  case Step::ready:
    return "wait until the API is ready";
  case Step::join:
    return "wait until this host is a voting member of etcd";
  case Step::agree:
    return plan.joining ? "see that it holds the revision of " + plan.joining->server
                        : std::string();
  case Step::compare:
    return "compare the number of objects of every kind with the manifest";
  case Step::clean_up:
    return "remove the decrypted snapshot";
  }
  return {};
}

std::string file_of(const GuideInput& input, api::ArtifactType type) {
  return shell_word(input.backup_dir + "/" +
                    set::artifact_name(type, input.run_id, input.generation, input.plan.datastore));
}

void add_changes(const Plan& plan, std::vector<std::string>& lines) {
  for (const Replacement& one : plan.replacements) {
    lines.push_back("# write " + one.to + " for " + one.from +
                    " in /etc/rancher/k3s/config.yaml (and config.yaml.d), the unit of k3s, its "
                    "drop-ins and environment files");
  }
}

/// Of an archive of "/", for tar.
std::string without(const std::vector<std::string>& paths) {
  std::string options;
  for (const std::string& path : paths) {
    options += " --exclude=" + shell_word(path.substr(1));
  }
  return options;
}

} // namespace

std::span<const Word<Step>> words_of(Step) {
  static constexpr std::array<Word<Step>, 14> k_words{{{Step::decrypt, "decrypt"},
                                                       {Step::stop, "stop"},
                                                       {Step::save_state, "save-state"},
                                                       {Step::put_back, "put-back"},
                                                       {Step::put_token, "put-token"},
                                                       {Step::reset, "reset"},
                                                       {Step::set_aside, "set-aside"},
                                                       {Step::name_server, "name-server"},
                                                       {Step::start, "start"},
                                                       {Step::ready, "ready"},
                                                       {Step::join, "join"},
                                                       {Step::agree, "agree"},
                                                       {Step::compare, "compare"},
                                                       {Step::clean_up, "clean-up"}}};
  return k_words;
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
  if (opened) { // else there is nothing yet to compare the host with
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

std::vector<std::string> our_commands(const GuideInput& input) {
  const std::string key =
      input.identity_file.empty() ? std::string() : " -i " + shell_word(input.identity_file);
  const std::string common = key + " --backup-dir " + shell_word(input.backup_dir) +
                             (input.extra_options.empty() ? "" : " " + input.extra_options);
  const std::string restore = "railiance-restore restore " + input.run_id;
  return {"# what would be done, and whether it can be:",
          restore + " --dry-run" + common,
          "# do it; --rollback goes back:",
          restore + " --execute" + common};
}

std::vector<std::string> stays_by_hand(const ObservedHost& host) {
  std::vector<std::string> paths;
  for (const NamedFact& fact : host.named) {
    const bool by_place = !put_back_path(fact.path.substr(1), host.data_dir, host.data_dir).empty();
    if (!by_place && (fact.on_host || !fact.in_set)) {
      paths.push_back(fact.path);
    }
  }
  return paths;
}

std::vector<std::string> commands_by_hand(const GuideInput& input) {
  const Plan& plan = input.plan;
  const bool somewhere = input.identity_file.empty();
  const std::string age =
      "age -d -i " + (somewhere ? "keys.txt" : shell_word(input.identity_file)) + " ";
  const std::string snapshot = shell_word(plan.snapshot_path());
  std::vector<std::string> lines;
  if (somewhere) {
    lines.emplace_back("# keys.txt: the private key, which this program got without a file:");
  }
  // As k3s makes them: everybody may pass through the one, and root alone through server/.
  lines.push_back("(umask 022; mkdir -p " + shell_word(plan.data_dir) +
                  ") && umask 077 && mkdir -p " + shell_word(plan.work_dir()) +
                  (plan.bare ? " " + shell_word(plan.data_dir + "/server") : ""));
  lines.push_back(age + "-o " + snapshot + " " + file_of(input, api::ArtifactType::datastore));
  lines.emplace_back(
      "# more than one server: on all of them; in the end, on each other one, move " +
      plan.data_dir + "/server/db/etcd aside and start it with `server:` naming this one");
  lines.push_back(input.stop_command);
  if (plan.bare) {
    const std::string server = plan.data_dir.substr(1) + "/server";
    lines.emplace_back(
        "# token, configuration, unit and manifests; not the certificates, which the "
        "snapshot holds:");
    lines.push_back(
        age + file_of(input, api::ArtifactType::host_state) +
        " | (umask 022; tar xzp -C / --exclude=host.json --exclude='*.wants' --exclude=" +
        shell_word(server + "/tls") + " --exclude=" + shell_word(server + "/cred") +
        (plan.keep_config ? " --exclude='etc/rancher/k3s' --exclude='etc/systemd' "
                            "--exclude='etc/default' --exclude='etc/sysconfig' "
                            "--exclude='etc/init.d' --exclude='etc/conf.d'"
                          : "") +
        without(input.stays) + ")");
    add_changes(plan, lines);
  }
  for (std::string& line : database_of(plan.datastore).by_hand(plan, snapshot)) {
    lines.push_back(std::move(line));
  }
  if (plan.bare && !plan.credentials.empty()) {
    std::string line = age + file_of(input, api::ArtifactType::host_state) + " | tar xzp -C /";
    for (const std::string& path : plan.credentials) {
      line += " " + shell_word(path.substr(1));
    }
    lines.emplace_back("# the configuration names these, and the copy does not bring them:");
    lines.push_back(std::move(line));
  }
  constexpr std::string_view k_systemd = "systemctl start ";
  if (plan.bare && input.start_command.starts_with(k_systemd)) { // it may know an older unit
    lines.push_back("systemctl daemon-reload && systemctl enable " +
                    input.start_command.substr(k_systemd.size()));
  }
  lines.push_back(input.start_command);
  const bool usual = plan.data_dir == k3s::k_usual_data_dir;
  lines.push_back((usual ? "" : "K3S_DATA_DIR=" + shell_word(plan.data_dir) + " ") +
                  shell_word(plan.k3s_program.empty() ? "k3s" : plan.k3s_program) +
                  " kubectl get nodes");
  lines.push_back("rm " + snapshot);
  return lines;
}

} // namespace rb::cluster
