#include "restore/proof/boot.hpp"

#include "datastore/datastore.hpp"
#include "datastore/keys/keys.hpp"
#include "k3s/command.hpp"
#include "k3s/output.hpp"
#include "objects/local_api.hpp"
#include "restore/cluster/database.hpp"
#include "restore/proof/memory.hpp"

#include "api/reason.hpp"
#include "archive/entry_path.hpp"
#include "base/fd.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace rb::proof {

namespace {

using namespace std::chrono_literals;

constexpr auto k_definitions_patience = 30s;
constexpr auto k_proxy_patience = 30s;
constexpr std::size_t k_log_limit_bytes = std::size_t{64} << 20U;

/// Runs from its construction. `clock` must outlive it.
class Stopwatch {
public:
  explicit Stopwatch(const Clock& clock) : m_clock(&clock), m_begin(clock.steady_now()) {}
  [[nodiscard]] std::chrono::milliseconds elapsed() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(m_clock->steady_now() - m_begin);
  }

private:
  const Clock* m_clock;
  std::chrono::steady_clock::time_point m_begin;
};

/// "4.2 s"
std::string seconds_text(std::chrono::milliseconds time) {
  return std::to_string(time.count() / 1000) + "." + std::to_string(time.count() / 100 % 10) + " s";
}

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

/// `k3s kubectl` must run where the server does.
class CagedRunner final : public ProcessRunner {
public:
  explicit CagedRunner(Cage& cage) : m_cage(cage) {}
  [[nodiscard]] Result<ProcessResult> run(const ProcessSpec& spec, std::stop_token stop) override {
    return m_cage.run(spec, stop);
  }

private:
  Cage& m_cage;
};

/// The scratch server must not cost the running one its memory.
Status check_memory(const BootPorts& ports) {
  const std::uint64_t available = ports.available_memory();
  if (available != 0 && available < k_memory_needed_bytes) {
    return Error{ErrorCode::unavailable,
                 "too little memory for a scratch server: " + std::to_string(available >> 20U) +
                     " MiB available, " + std::to_string(k_memory_needed_bytes >> 20U) + " needed",
                 "drill on another machine: k3s, the backup directory and the key are enough"}
        .because(api::Reason::proof_unavailable);
  }
  return {};
}

/// The snapshot is that of the manifest, by revision and by objects of each kind.
Status check_expected(const BootInput& input, const objects::Contents& contents) {
  constexpr const char* k_hint = "it is not the snapshot of this set: choose another set";
  if (input.revision != 0 && input.revision != contents.revision) {
    return Error{ErrorCode::corrupt,
                 "the snapshot is of revision " + std::to_string(contents.revision) +
                     ", the manifest says " + std::to_string(input.revision),
                 k_hint};
  }
  if (input.objects.empty()) {
    return {};
  }
  std::map<std::string, std::uint64_t> objects;
  for (const auto& [key, object] : contents.objects) {
    ++objects[datastore::object_kind("/registry/" + key).value_or("")];
  }
  if (objects != input.objects) {
    return Error{ErrorCode::corrupt,
                 "the snapshot holds other numbers of objects than its manifest says",
                 k_hint};
  }
  return {};
}

/// `k3s server --cluster-reset …`, to its end. The kubeconfig that it leaves is removed: it trusts
/// a CA made for the occasion, and the start brings the snapshot's.
Status reset_scratch(const ScratchServer& server, Cage& cage, const std::stop_token& stop) {
  RB_TRY_ASSIGN(ProcessSpec spec, scratch_reset_spec(server));
  auto result = cage.run(spec, stop);
  k3s::wipe_token(spec);
  if (!result) {
    return std::move(result).error();
  }
  RB_TRY(k3s::judge_reset(*result));
  const std::string left = kubeconfig_of(server);
  if (::unlink(left.c_str()) != 0 && errno != ENOENT) {
    return system_error(errno, left + ": what the reset left cannot be removed");
  }
  return {};
}

/// The copy becomes the scratch server's database, in the way of its kind.
Status restore_scratch(const ScratchServer& server, Cage& cage, const std::stop_token& stop) {
  RB_TRY_ASSIGN(Fd file, open_file(server.snapshot_path, O_RDONLY | O_NOFOLLOW));
  RB_TRY_ASSIGN(const auto reader, FileReader::open(std::move(file), server.snapshot_path));
  RB_TRY_ASSIGN(const api::DatastoreKind kind, datastore::kind_of(*reader));
  switch (kind) {
  case api::DatastoreKind::etcd:
    return reset_scratch(server, cage, stop);
  case api::DatastoreKind::sqlite:
    return cluster::put_state(server.snapshot_path, server.directory + "/data/server/db");
  }
  return {};
}

/// Starts the server; it goes on.
Status start_scratch(const ScratchServer& server, Cage& cage) {
  ProcessSpec spec = scratch_server_spec(server);
  Status started = cage.start(spec, log_of(server));
  k3s::wipe_token(spec);
  return started;
}

/// Adds the server's last words to what is known.
Error not_ready(const ScratchServer& server, const Error& error) {
  if (error.code == ErrorCode::cancelled) {
    return {ErrorCode::cancelled, "told to stop while the scratch server starts", {}};
  }
  const auto log = read_text_file(log_of(server), k_log_limit_bytes);
  const std::string words = log ? k3s::last_words(*log) : std::string();
  return {error.code,
          "the scratch server: " + error.message + (words.empty() ? "" : "; k3s says: " + words),
          error.code == ErrorCode::timeout ? "a slow machine needs longer: --timeout"
                                           : "the snapshot does not boot here: see what k3s says"};
}

/// Waits for /readyz.
Status wait_ready(const BootInput& input,
                  const ScratchServer& server,
                  const BootPorts& ports,
                  const std::stop_token& stop) {
  CagedRunner kubectl(ports.cage);
  k3s::ReadyWait wait;
  wait.timeout = input.ready_timeout;
  wait.alive = [&] { return ports.cage.alive(); };
  const auto ready = k3s::wait_until_ready(
      kubectl,
      ports.clock,
      ports.waiter,
      {server.program, kubeconfig_of(server), server.directory + "/data", environment_of(server)},
      wait,
      stop);
  return ready ? Status() : Status(not_ready(server, ready.error()));
}

/// Opens the way into the API of a server that is ready.
Result<std::unique_ptr<objects::ApiPort>>
open_api(const ScratchServer& server, const BootPorts& ports, const std::stop_token& stop) {
  RB_TRY(ports.cage.start(proxy_spec(server), proxy_log_of(server)));
  std::unique_ptr<objects::ApiPort> api = ports.connect(socket_of(server));
  objects::ProxyWait wait{k_proxy_patience, [&] { return ports.cage.alive(); }, {}, stop};
  wait.log_path = proxy_log_of(server);
  if (const Status open = objects::await_proxy(*api, ports.waiter, wait); !open) {
    return not_ready(server, open.error());
  }
  return api;
}

Status check_served(const Comparison& comparison) {
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

void tell_not_compared(const Comparison& comparison, const BootPorts& ports) {
  for (const std::string& one : comparison.unanswered) {
    ports.progress("boot: " + archive::printable(one) + ": what it served is not compared");
  }
  for (const auto& [kind, objects] : comparison.unconverted) {
    ports.progress("boot: " + archive::printable(kind) + ": " + std::to_string(objects) +
                   " objects are in the snapshot and were not compared: a webhook must convert "
                   "them, and no pods run here");
  }
}

/// "4211 objects of 63 kinds are …"
std::string summary(const BootReport& report) {
  return std::to_string(report.comparison.objects) + " objects of " +
         std::to_string(report.comparison.kinds.size()) + " kinds are as in the snapshot (" +
         seconds_text(report.total) + ", peak memory " +
         std::to_string(report.peak_memory_bytes >> 20U) + " MiB)";
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
  RB_TRY(restore_scratch(server, ports.cage, stop));
  ports.progress("boot: starting it (the reset took " + seconds_text(reset_watch.elapsed()) + ")");
  const Stopwatch ready_watch(ports.clock);
  RB_TRY(start_scratch(server, ports.cage));
  RB_TRY(wait_ready(input, server, ports, stop));
  ports.progress("boot: its API is ready after " + seconds_text(ready_watch.elapsed()) +
                 "; comparing its objects with the snapshot's");
  RB_TRY_ASSIGN(const auto api, open_api(server, ports, stop));
  RB_TRY_ASSIGN(report.comparison,
                compare(*api, contents, ports.waiter, k_definitions_patience, stop));
  tell_not_compared(report.comparison, ports);
  RB_TRY(check_served(report.comparison));
  report.peak_memory_bytes = memory.peak_bytes();
  ports.cage.close();
  report.total = total.elapsed();
  ports.progress("boot: " + summary(report));
  return report;
}

} // namespace rb::proof
