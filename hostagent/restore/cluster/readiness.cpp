#include "restore/cluster/readiness.hpp"

#include "restore/cluster/k3s_reset.hpp"

#include "archive/entry_path.hpp"
#include "base/last_line.hpp"

namespace rb::cluster {

namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

} // namespace

ProcessSpec kubectl_spec(const Kubectl& kubectl,
                         std::vector<std::string> arguments,
                         std::chrono::seconds timeout) {
  ProcessSpec spec;
  spec.program = kubectl.program;
  spec.environment = kubectl.environment.empty() ? clean_environment() : kubectl.environment;
  spec.timeout = timeout;
  spec.output_limit_bytes = std::size_t{16} << 20U;
  spec.arguments = {"kubectl", "--kubeconfig=" + kubectl.kubeconfig};
  for (std::string& argument : arguments) {
    spec.arguments.push_back(std::move(argument));
  }
  return spec;
}

Result<milliseconds> wait_until_ready(ProcessRunner& processes,
                                      const Clock& clock,
                                      Sleeper& sleeper,
                                      const Kubectl& kubectl,
                                      const ReadyWait& wait,
                                      std::stop_token stop) {
  const auto begin = clock.steady_now();
  const ProcessSpec spec = kubectl_spec(
      kubectl, {"get", "--raw=/readyz", "--request-timeout=5s"}, std::chrono::seconds(15));
  std::string said;
  while (true) {
    if (stop.stop_requested()) {
      return Error{ErrorCode::cancelled, "told to stop while waiting for the API", {}};
    }
    RB_TRY_ASSIGN(const ProcessResult result, processes.run(spec, stop));
    const auto elapsed = duration_cast<milliseconds>(clock.steady_now() - begin);
    if (result.exit_status == 0 && result.out.starts_with("ok")) {
      return elapsed;
    }
    said = result.timed_out ? "no answer" : archive::printable(last_line(result.err));
    if (wait.alive) {
      RB_TRY(wait.alive());
    }
    if (elapsed >= wait.timeout) {
      return Error{ErrorCode::timeout,
                   "the API is not ready after " + std::to_string(elapsed.count() / 1000) +
                       " s: " + (said.empty() ? "no word from kubectl" : said),
                   "the log of k3s says why"};
    }
    sleeper.sleep(wait.interval);
  }
}

} // namespace rb::cluster
