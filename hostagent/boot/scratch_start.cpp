#include "boot/scratch_start.hpp"

#include "boot/stopwatch.hpp"
#include "recover/k3s_reset.hpp"

#include <fcntl.h>

namespace rb::boot {

namespace {

using namespace std::chrono_literals;

constexpr auto k_ready_interval = 200ms;
constexpr std::size_t k_log_limit_bytes = std::size_t{64} << 20U;

/// Its last words, after a colon; empty where it said nothing.
std::string words_of(const ScratchServer& server) {
  const auto log = read_text_file(log_of(server), k_log_limit_bytes);
  const std::string words = log ? recover::last_words(*log) : std::string();
  return words.empty() ? words : ": " + words;
}

Error ended(const ScratchServer& server, const Error& error) {
  return {ErrorCode::unavailable,
          "the scratch server: " + error.message + words_of(server),
          "the snapshot does not boot here: see what k3s says"};
}

} // namespace

Status reset_scratch(const ScratchServer& server, Cage& cage, const std::stop_token& stop) {
  RB_TRY_ASSIGN(ProcessSpec spec, scratch_reset_spec(server));
  auto result = cage.run(spec, stop);
  recover::wipe_token(spec);
  if (!result) {
    return std::move(result).error();
  }
  return recover::judge_reset(*result);
}

Status start_scratch(const ScratchServer& server, Cage& cage) {
  RB_TRY_ASSIGN(ProcessSpec spec, scratch_server_spec(server));
  Status started = cage.start(spec, log_of(server));
  recover::wipe_token(spec);
  return started;
}

Status wait_ready(const BootInput& input,
                  const ScratchServer& server,
                  const BootPorts& ports,
                  objects::ApiPort& api,
                  const std::stop_token& stop) {
  const Stopwatch watch(ports.clock);
  bool proxied = false;
  while (true) {
    if (stop.stop_requested()) {
      return Error{ErrorCode::cancelled, "told to stop while the scratch server starts", {}};
    }
    if (const Status alive = ports.cage.alive(); !alive) {
      return ended(server, alive.error());
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
      return Error{ErrorCode::timeout,
                   "the scratch server's API is not ready after " + seconds_text(watch.elapsed()) +
                       words_of(server),
                   "a slow machine needs longer: --timeout"};
    }
    ports.sleeper.sleep(k_ready_interval);
  }
}

} // namespace rb::boot
