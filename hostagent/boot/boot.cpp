#include "boot/boot.hpp"

#include "boot/memory_watch.hpp"
#include "recover/k3s_reset.hpp"

#include "archive/entry_path.hpp"
#include "etcdsnap/live_keys.hpp"

#include <fcntl.h>

namespace rb::boot {

namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using namespace std::chrono_literals;

constexpr auto k_ready_interval = 200ms;
constexpr auto k_definitions_patience = 30s;
constexpr std::size_t k_log_limit_bytes = std::size_t{64} << 20U;

class Stopwatch {
public:
  explicit Stopwatch(const Clock& clock) : m_clock(&clock), m_begin(clock.steady_now()) {}
  [[nodiscard]] milliseconds elapsed() const {
    return duration_cast<milliseconds>(m_clock->steady_now() - m_begin);
  }

private:
  const Clock* m_clock;
  std::chrono::steady_clock::time_point m_begin;
};

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

std::string seconds_text(milliseconds time) {
  return std::to_string(time.count() / 1000) + "." + std::to_string(time.count() / 100 % 10) + " s";
}

Status check_memory(const BootPorts& ports) {
  const std::uint64_t available = ports.available_memory();
  if (available != 0 && available < k_memory_needed_bytes) {
    return Error{ErrorCode::unavailable,
                 "too little memory for a scratch server: " + std::to_string(available >> 20U) +
                     " MiB available, " + std::to_string(k_memory_needed_bytes >> 20U) + " needed",
                 "drill on another machine: k3s, the backup directory and the key are enough"};
  }
  return {};
}

/// The snapshot is that of the manifest, by revision and by objects of each kind.
Status check_expected(const BootInput& input, const Contents& contents) {
  if (input.revision != 0 && input.revision != contents.revision) {
    return Error{ErrorCode::corrupt,
                 "the snapshot is of revision " + std::to_string(contents.revision) +
                     ", the manifest says " + std::to_string(input.revision),
                 "it is not the snapshot of this set: choose another set"};
  }
  if (input.objects.empty()) {
    return {};
  }
  std::map<std::string, std::uint64_t> objects;
  for (const auto& [key, object] : contents.objects) {
    ++objects[etcdsnap::object_kind("/registry/" + key).value_or("")];
  }
  if (objects != input.objects) {
    return Error{ErrorCode::corrupt,
                 "the snapshot holds other numbers of objects than its manifest says",
                 "it is not the snapshot of this set: choose another set"};
  }
  return {};
}

Status reset(const ScratchServer& server, Cage& cage, const std::stop_token& stop) {
  RB_TRY_ASSIGN(ProcessSpec spec, scratch_reset_spec(server));
  auto result = cage.run(spec, stop);
  recover::wipe_token(spec);
  if (!result) {
    return std::move(result).error();
  }
  return recover::judge_reset(*result);
}

/// A server that has ended, with its last words.
Error ended(const ScratchServer& server, Error error) {
  const auto log = read_text_file(log_of(server), k_log_limit_bytes);
  const std::string words = log ? recover::last_words(*log) : std::string();
  return {ErrorCode::unavailable,
          "the scratch server: " + error.message + (words.empty() ? "" : ": " + words),
          "the snapshot does not boot here: see what k3s says"};
}

Status wait_ready(const BootInput& input,
                  const ScratchServer& server,
                  const BootPorts& ports,
                  ApiPort& api,
                  const std::stop_token& stop) {
  const Stopwatch watch(ports.clock);
  bool proxied = false;
  while (true) {
    if (stop.stop_requested()) {
      return Error{ErrorCode::cancelled, "told to stop while the scratch server starts", {}};
    }
    if (Status alive = ports.cage.alive(); !alive) {
      return ended(server, std::move(alive).error());
    }
    if (!proxied && open_file(kubeconfig_of(server), O_RDONLY)) {
      RB_TRY(ports.cage.start(proxy_spec(server), server.directory + "/proxy.log"));
      proxied = true;
    }
    const auto answer = api.get("/readyz", "*/*");
    if (answer && answer->status == 200) {
      return {};
    }
    if (watch.elapsed() >= input.ready_timeout) {
      const auto log = read_text_file(log_of(server), k_log_limit_bytes);
      const std::string words = log ? recover::last_words(*log) : std::string();
      return Error{ErrorCode::timeout,
                   "the scratch server's API is not ready after " + seconds_text(watch.elapsed()) +
                       (words.empty() ? "" : ": " + words),
                   "a slow machine needs longer: --timeout"};
    }
    ports.sleeper.sleep(k_ready_interval);
  }
}

Status start(const ScratchServer& server, Cage& cage) {
  RB_TRY_ASSIGN(ProcessSpec spec, scratch_server_spec(server));
  Status started = cage.start(spec, log_of(server));
  recover::wipe_token(spec);
  return started;
}

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
  RB_TRY_ASSIGN(const Contents contents, read_contents_of(input.snapshot_path, stop));
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
  RB_TRY(reset(server, ports.cage, stop));
  report.reset = reset_watch.elapsed();

  ports.progress("boot: starting it (the reset took " + seconds_text(report.reset) + ")");
  const Stopwatch ready_watch(ports.clock);
  RB_TRY(start(server, ports.cage));
  const std::unique_ptr<ApiPort> api = ports.connect(socket_of(server));
  RB_TRY(wait_ready(input, server, ports, *api, stop));
  report.ready = ready_watch.elapsed();

  ports.progress("boot: its API is ready after " + seconds_text(report.ready) +
                 "; comparing its objects with the snapshot's");
  const Stopwatch compare_watch(ports.clock);
  RB_TRY_ASSIGN(report.comparison,
                compare(*api, contents, ports.sleeper, k_definitions_patience, stop));
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

} // namespace rb::boot
