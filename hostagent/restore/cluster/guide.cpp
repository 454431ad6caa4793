#include "restore/cluster/guide.hpp"

#include "set/restore_guide.hpp"

#include "api/artifact_type.hpp"

namespace rb::cluster {

namespace {

using set::shell_word;

std::string file_of(const GuideInput& input, api::ArtifactType type) {
  return shell_word(input.backup_dir + "/" + api::file_name(type, input.run_id));
}

void add_changes(const Plan& plan, std::vector<std::string>& lines) {
  for (const Replacement& one : plan.replacements) {
    lines.push_back("# write " + one.to + " for " + one.from +
                    " in /etc/rancher/k3s/config.yaml (and config.yaml.d), the unit of k3s, its "
                    "drop-ins and environment files");
  }
}

} // namespace

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
  lines.push_back("umask 077 && mkdir -p " + shell_word(plan.work_dir()));
  lines.push_back(age + "-o " + snapshot + " " + file_of(input, api::ArtifactType::etcd_snapshot));
  lines.emplace_back(
      "# more than one server: on all of them; in the end, on each other one, move " +
      plan.data_dir + "/server/db away and start it with `server:` naming this one");
  lines.push_back(input.stop_command);
  std::string reset = shell_word(plan.k3s_program.empty() ? "k3s" : plan.k3s_program) +
                      " server --cluster-reset --cluster-reset-restore-path=" + snapshot +
                      " --data-dir=" + shell_word(plan.data_dir) + " --etcd-s3=false";
  for (const std::string& flag : plan.carried) {
    reset += " " + shell_word(flag);
  }
  if (plan.bare) {
    const std::string server = plan.data_dir.substr(1) + "/server";
    lines.emplace_back(
        "# token, configuration, unit and manifests; not the certificates, which the "
        "snapshot holds:");
    lines.push_back(age + file_of(input, api::ArtifactType::host_state) +
                    " | tar xzp -C / --exclude=host.json --exclude=" + shell_word(server + "/tls") +
                    " --exclude=" + shell_word(server + "/cred") +
                    (plan.keep_config ? " --exclude='etc/rancher/k3s' --exclude='etc/systemd' "
                                        "--exclude='etc/default' --exclude='etc/sysconfig' "
                                        "--exclude='etc/init.d' --exclude='etc/conf.d'"
                                      : ""));
    add_changes(plan, lines);
    reset = "K3S_TOKEN=\"$(cat " + shell_word(plan.data_dir + "/server/token") + ")\" " + reset;
  }
  lines.emplace_back("# ends with exit status 0 and \"restart without --cluster-reset flag now\":");
  lines.push_back(std::move(reset));
  lines.push_back(input.start_command);
  lines.push_back(shell_word(plan.k3s_program.empty() ? "k3s" : plan.k3s_program) +
                  " kubectl get nodes");
  lines.push_back("rm " + snapshot);
  return lines;
}

} // namespace rb::cluster
