#include "restore/proof/scratch_start.hpp"

#include "k3s/command.hpp"
#include "k3s/output.hpp"
#include "objects/local_api.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace rb::proof {

namespace {

using namespace std::chrono_literals;

constexpr auto k_proxy_patience = 30s;
constexpr std::size_t k_log_limit_bytes = std::size_t{64} << 20U;

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

/// The server's last words, as they are added to a message; empty where it said nothing.
std::string words_of(const ScratchServer& server) {
  const auto log = read_text_file(log_of(server), k_log_limit_bytes);
  const std::string words = log ? k3s::last_words(*log) : std::string();
  return words.empty() ? words : "; k3s says: " + words;
}

Error not_ready(const ScratchServer& server, const Error& error) {
  if (error.code == ErrorCode::cancelled) {
    return {ErrorCode::cancelled, "told to stop while the scratch server starts", {}};
  }
  return {error.code,
          "the scratch server: " + error.message + words_of(server),
          error.code == ErrorCode::timeout ? "a slow machine needs longer: --timeout"
                                           : "the snapshot does not boot here: see what k3s says"};
}

} // namespace

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

Status start_scratch(const ScratchServer& server, Cage& cage) {
  RB_TRY_ASSIGN(ProcessSpec spec, scratch_server_spec(server));
  Status started = cage.start(spec, log_of(server));
  k3s::wipe_token(spec);
  return started;
}

Status wait_ready(const BootInput& input,
                  const ScratchServer& server,
                  const BootPorts& ports,
                  const std::stop_token& stop) {
  CagedRunner kubectl(ports.cage);
  k3s::ReadyWait wait;
  wait.timeout = input.ready_timeout;
  wait.alive = [&] { return ports.cage.alive(); };
  const auto ready =
      k3s::wait_until_ready(kubectl,
                            ports.clock,
                            ports.waiter,
                            {server.program, kubeconfig_of(server), environment_of(server)},
                            wait,
                            stop);
  return ready ? Status() : Status(not_ready(server, ready.error()));
}

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

} // namespace rb::proof
