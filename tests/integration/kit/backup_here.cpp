// One run of the agent on this server node, without pods and without the API: its places are those
// of a real installation. Arguments: NODE SOPS_FILE HELM_TAR_GZ PROGRAM_OF_THE_KIT [DATA_DIR [IMAGE
// ID_OF_IMAGE]].
// Prints the run id; exit code 0 when the set is complete.
#include "agent/run/backup_run.hpp"

#include "age/file.hpp"
#include "age/sops_yaml.hpp"
#include "base/digest.hpp"
#include "base/fd.hpp"
#include "base/process.hpp"

#include <cstdio>

namespace {

using namespace rb;

Result<Bytes> encrypted(const std::string& sops_file, const std::string& path) {
  constexpr std::size_t k_limit_bytes = 1U << 20U;
  RB_TRY_ASSIGN(const std::string sops, read_text_file(sops_file, k_limit_bytes));
  RB_TRY_ASSIGN(const auto recipients, age::recipients_from_sops_yaml(sops));
  RB_TRY_ASSIGN(const std::string values, read_text_file(path, k_limit_bytes));
  return age::encrypt_bytes(as_bytes(values), recipients);
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 5 && argc != 6 && argc != 8) {
    return 2;
  }
  const auto values = encrypted(argv[2], argv[3]);
  if (!values) {
    std::fprintf(stderr, "%s\n", values.error().message.c_str());
    return 2;
  }
  agent::Settings settings;
  settings.node_name = argv[1];
  settings.sops_config = argv[2];
  settings.kit_program = argv[4];
  settings.data_dir = argc > 5 ? argv[5] : settings.data_dir;
  RealClock clock;
  agent::RunOrder order;
  order.run_id = format_run_id(clock.now());
  order.cluster_backup_name = "by-hand";
  order.cluster_backup_uid = "uid-" + order.run_id;
  order.artifacts.assign(api::k_all_artifacts.begin(), api::k_all_artifacts.end());
  order.helm_payload = api::HelmPayload{{"p-0"}, values->size(), to_hex(sha256(*values))};
  order.helm = api::HelmStatus{1, {}, 0};

  RealProcessRunner any_program;
  TrustedRunner processes(any_program);
  const agent::RunControl control;
  RealWaiter waiter;
  agent::RunPorts ports{
      processes, clock, waiter, [&values](const auto&, const auto&) { return values; }};
  if (argc == 8) {
    ports.ask_image = [&argv](const auto&) {
      return Result<agent::ImageName>(agent::ImageName{argv[6], argv[7]});
    };
  }
  const auto report = agent::run_backup(settings, order, ports, control);
  std::fprintf(stderr, "%s\n", report.message.c_str());
  std::printf("%s\n", order.run_id.c_str());
  return report.succeeded() ? 0 : 1;
}
