#include "restore/proof/boot.hpp"

#include "restore/proof/before_boot.hpp"
#include "restore/proof/memory_watch.hpp"
#include "restore/proof/scratch_start.hpp"
#include "restore/proof/stopwatch.hpp"

#include "archive/entry_path.hpp"

#include <fcntl.h>

namespace rb::proof {

namespace {

constexpr auto k_definitions_patience = std::chrono::seconds(30);

/// Ends all that runs, on every way out.
class CageGuard {
public:
  explicit CageGuard(Cage& cage) : m_cage(&cage) {}
  ~CageGuard() { m_cage->close(); }
  CageGuard(const CageGuard&) = delete;
  CageGuard& operator=(const CageGuard&) = delete;
  CageGuard(CageGuard&&) = delete;
  CageGuard& operator=(CageGuard&&) = delete;

private:
  Cage* m_cage;
};

Status judge(const Comparison& comparison) {
  if (comparison.difference_count == 0) {
    return {};
  }
  std::string message = "the booted server differs from the snapshot in " +
                        std::to_string(comparison.difference_count) +
                        (comparison.difference_count == 1 ? " place: " : " places: ");
  for (std::size_t i = 0; i < comparison.differences.size() && i < 3; ++i) {
    message += (i == 0 ? "" : "; ") + archive::printable(comparison.differences[i]);
  }
  return Error{ErrorCode::corrupt, std::move(message), "do not rely on this set: take a new one"};
}

} // namespace

Result<BootReport>
boot(const BootInput& input, const BootPorts& ports, const std::stop_token& stop) {
  const Stopwatch total(ports.clock);
  BootReport report;
  RB_TRY(check_memory(ports));
  RB_TRY_ASSIGN(const objects::Contents contents,
                objects::read_contents_of(input.snapshot_path, stop));
  RB_TRY(check_expected(input, contents));
  report.revision = contents.revision;
  const ScratchServer server{input.k3s,
                             input.directory,
                             input.snapshot_path,
                             input.token,
                             input.settings,
                             input.reset_timeout};
  RB_TRY(open_file(config_of(server), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));

  const CageGuard guard(ports.cage);
  RB_TRY(ports.cage.open());
  const MemoryWatch memory(ports.cage);
  ports.progress("boot: restoring the snapshot into a scratch server");
  const Stopwatch reset_watch(ports.clock);
  RB_TRY(reset_scratch(server, ports.cage, stop));
  report.reset = reset_watch.elapsed();

  ports.progress("boot: starting it (the reset took " + seconds_text(report.reset) + ")");
  const Stopwatch ready_watch(ports.clock);
  RB_TRY(start_scratch(server, ports.cage));
  RB_TRY(wait_ready(input, server, ports, stop));
  report.ready = ready_watch.elapsed();

  ports.progress("boot: its API is ready after " + seconds_text(report.ready) +
                 "; comparing its objects with the snapshot's");
  const Stopwatch compare_watch(ports.clock);
  RB_TRY_ASSIGN(const auto api, open_api(server, ports, stop));
  RB_TRY_ASSIGN(report.comparison,
                compare(*api, contents, ports.waiter, k_definitions_patience, stop));
  report.compare = compare_watch.elapsed();
  RB_TRY(judge(report.comparison));
  report.peak_memory_bytes = memory.peak_bytes();
  ports.cage.close();
  report.total = total.elapsed();
  ports.progress("boot: " + summary(report));
  return report;
}

std::string summary(const BootReport& report) {
  return std::to_string(report.comparison.objects) + " objects of " +
         std::to_string(report.comparison.kinds.size()) + " kinds are as in the snapshot (" +
         seconds_text(report.total) + ", peak memory " +
         std::to_string(report.peak_memory_bytes >> 20U) + " MiB)";
}

} // namespace rb::proof
