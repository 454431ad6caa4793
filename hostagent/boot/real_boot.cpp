#include "boot/real_boot.hpp"

#include "boot/container_memory.hpp"
#include "boot/namespace_cage.hpp"
#include "objects/socket_api.hpp"

namespace rb::boot {

namespace {

constexpr auto k_api_timeout = std::chrono::seconds(60);

} // namespace

Result<BootReport> boot_here(const BootInput& input,
                             ScratchDir& scratch,
                             const std::function<void(const std::string& line)>& progress,
                             const std::stop_token& stop) {
  NamespaceCage cage;
  const RealClock clock;
  RealSleeper sleeper;
  const BootPorts ports{cage,
                        clock,
                        sleeper,
                        [](const std::string& path) {
                          return std::make_unique<objects::SocketApi>(path, k_api_timeout);
                        },
                        [] { return usable_memory_bytes(); },
                        progress};
  auto report = boot(input, ports, stop);
  const Status removed = scratch.remove();
  if (report && !removed) {
    return removed.error();
  }
  return report;
}

} // namespace rb::boot
