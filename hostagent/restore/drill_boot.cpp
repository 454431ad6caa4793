#include "restore/drill_boot.hpp"

#include "restore/io.hpp"
#include "restore/proof/prove_set.hpp"
#include "terminal/program_io.hpp"

namespace rb::restore {

proof::BootRecord boot_set(set::Directory& directory,
                           const set::Manifest& manifest,
                           std::span<const age::Identity> identities,
                           const DrillCommand& command,
                           Io& io) {
  const StopSignals interrupts({SIGINT, SIGTERM, SIGHUP}, io.stop);
  const auto begin = io.clock.steady_now();
  const auto progress = [&io](const std::string& line) { io.err << line << '\n' << std::flush; };
  const auto report = proof::prove_set(directory,
                                       manifest,
                                       identities,
                                       {command.scratch_dir,
                                        command.k3s,
                                        std::chrono::seconds(command.timeout_seconds),
                                        proof::ScratchPlaces(io.scratch_record)},
                                       progress,
                                       interrupts.token());
  proof::BootRecord record;
  record.duration =
      std::chrono::duration_cast<std::chrono::milliseconds>(io.clock.steady_now() - begin);
  if (!report) {
    record.code = static_cast<ExitCode>(fail(io, report.error()));
    record.message = report.error().message;
    return record;
  }
  record.objects = report->comparison.objects;
  record.peak_memory_bytes = report->peak_memory_bytes;
  for (const auto& [kind, objects] : report->comparison.unserved) {
    warn(io,
         kind + ": " + std::to_string(objects) +
             " objects in the snapshot of a kind that no API serves");
  }
  return record;
}

} // namespace rb::restore
