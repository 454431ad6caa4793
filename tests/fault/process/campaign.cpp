#include "fault/process/campaign.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <unistd.h>

namespace rb::test {

Operation::Operation(FakeHost& host, std::string name) : m_host(host), m_name(std::move(name)) {}

Attempt Operation::meet(const Which& which, std::size_t number, const Action& action, bool on) {
  before();
  Attempt attempt;
  m_host.clock.time += std::chrono::minutes(1);
  attempt.run_id = format_run_id(m_host.clock.time);
  TraceOptions options;
  options.output_directory = m_host.scratch.path();
  options.prepare = limits;
  std::size_t seen = 0;
  attempt.traced = trace({RB_FAULT_OPERATION, m_host.scratch.path(), m_name, attempt.run_id},
                         options,
                         [&](const Call& call) -> Action {
                           if (!which(call)) {
                             return {};
                           }
                           const std::size_t mine = seen++;
                           if (mine != number && !(on && mine > number)) {
                             return {};
                           }
                           if (!attempt.hit) {
                             attempt.hit = Hit{call.name(), call.path()};
                           }
                           return action;
                         });
  attempt.traced.calls = seen;
  return attempt;
}

std::size_t Operation::calls(const Which& which) {
  const Attempt attempt = meet(which, 0, {});
  INFO(attempt.traced.err);
  REQUIRE(attempt.traced.exit_code == 0);
  REQUIRE(attempt.traced.calls > 0);
  return attempt.traced.calls;
}

void plant_leftovers(const FakeHost& host) {
  const std::string id = format_run_id(host.clock.time - std::chrono::hours(2));
  host.scratch.write("backups/etcd-" + id + ".snap.age.part", "part");
  host.scratch.write("backups/kubeconfig-" + id + ".yaml.age", "an artifact");
  host.scratch.write("backups/.unfinished-" + id, "");
  host.scratch.write("data/server/db/snapshots/railiance-" + id + "-vm-1795348336",
                     host.scratch.read("bin/snapshot"));
  // They lay there before the power failed.
  const int directory =
      ::open(host.settings.backup_dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  REQUIRE(::syncfs(directory) == 0);
  ::close(directory);
}

Which writes_to(const std::string& directory) {
  return
      [directory](const Call& call) { return call.writes() && call.path().starts_with(directory); };
}

} // namespace rb::test
