#include "restore/proof/real_boot.hpp"

#include "objects/local_api.hpp"
#include "restore/proof/container_memory.hpp"
#include "restore/proof/namespace_cage.hpp"

namespace rb::proof {

namespace {

constexpr auto k_api_timeout = std::chrono::seconds(60);

} // namespace

Result<BootReport> boot_here(const BootInput& input,
                             ScratchDir& scratch,
                             const std::function<void(const std::string& line)>& progress,
                             const std::stop_token& stop) {
  NamespaceCage cage;
  const RealClock clock;
  RealWaiter waiter;
  const BootPorts ports{cage,
                        clock,
                        waiter,
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

} // namespace rb::proof
