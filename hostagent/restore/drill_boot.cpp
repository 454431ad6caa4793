#include "restore/drill_boot.hpp"

#include "boot/prove_set.hpp"
#include "restore/failure.hpp"
#include "restore/interrupts.hpp"

namespace rb::restore {

drill::BootRecord boot_set(artifact::Directory& directory,
                           const artifact::Manifest& manifest,
                           std::span<const age::Identity> identities,
                           const DrillCommand& command,
                           Io& io) {
  const Interrupts interrupts(io.stop);
  const auto begin = io.clock.steady_now();
  const auto progress = [&io](const std::string& line) { io.err << line << '\n' << std::flush; };
  const auto report = boot::prove_set(directory,
                                      manifest,
                                      identities,
                                      {command.scratch_dir,
                                       command.k3s,
                                       std::chrono::seconds(command.timeout_seconds),
                                       boot::ScratchPlaces(io.scratch_record)},
                                      progress,
                                      interrupts.token());
  drill::BootRecord record;
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
