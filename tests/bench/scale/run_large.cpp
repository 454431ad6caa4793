// One run of the agent for a snapshot of any size, on a host that run.py has laid out, so that its
// memory can be limited from outside. Arguments: SCRATCH. Prints seconds and peak memory as JSON;
// exit code 0 when the set is complete.
#include "agent/run/backup_run.hpp"
#include "fault/host_paths.hpp"

#include <sys/resource.h>

#include <cstdio>

int main(int argc, char** argv) {
  if (argc != 2) {
    return 2;
  }
  const rb::RealClock clock;
  rb::agent::RunOrder order;
  order.run_id = rb::format_run_id(clock.now());
  order.artifacts = {rb::api::ArtifactType::datastore, rb::api::ArtifactType::kubeconfig};
  order.keep_last = 2;
  auto settings = rb::test::host_settings(argv[1]);
  settings.snapshot_timeout = std::chrono::hours(1);
  rb::RealProcessRunner processes;
  const rb::agent::RunControl control;
  const auto begin = clock.steady_now();
  const auto report = rb::agent::run_backup(settings, order, {processes, clock, {}}, control);
  const std::chrono::duration<double> took = clock.steady_now() - begin;
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  std::fprintf(stderr, "%s\n", report.message.c_str());
  std::printf(R"({"runID": "%s", "seconds": %.2f, "peak_kib": %ld})"
              "\n",
              order.run_id.c_str(),
              took.count(),
              usage.ru_maxrss);
  return report.succeeded() ? 0 : 1;
}
