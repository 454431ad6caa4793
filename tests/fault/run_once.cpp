// One run of the agent on a host that a test has laid out, as a process of its own, so that it can
// be killed. Arguments: SCRATCH RUN_ID. Exit code 0 when the run succeeded.
#include "agent/backup_run.hpp"
#include "fault/host_paths.hpp"

#include <cstdio>

namespace {

class NoPayloads final : public rb::agent::PayloadSource {
public:
  rb::Result<rb::Bytes> piece(const std::string&, std::stop_token) override {
    return rb::Error{rb::ErrorCode::not_found, "none", {}};
  }
};

class NoObserver final : public rb::agent::RunObserver {
public:
  void on_status(const rb::api::NodeBackupStatus&) override {}
  void on_progress(const rb::api::Progress&) override {}
};

} // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    return 2;
  }
  rb::agent::RunOrder order;
  order.run_id = argv[2];
  order.artifacts = {rb::api::ArtifactType::etcd_snapshot,
                     rb::api::ArtifactType::kubeconfig,
                     rb::api::ArtifactType::host_state};
  order.keep_last = 2;
  const auto time = rb::parse_run_id(order.run_id);
  if (!time) {
    return 2;
  }
  rb::test::SetClock clock;
  clock.time = *time;
  rb::RealProcessRunner processes;
  NoPayloads payloads;
  NoObserver observer;
  const rb::agent::RunControl control;
  const auto report = rb::agent::run_backup(
      rb::test::host_settings(argv[1]), order, {processes, clock, payloads, observer}, control);
  std::fprintf(stderr, "%s\n", report.message.c_str());
  return report.succeeded() ? 0 : 1;
}
