#include "k3s/command.hpp"

#include "terminal/terminal_text.hpp"

#include "base/last_line.hpp"

namespace rb::k3s {

namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

constexpr std::size_t k_shown_bytes = 80;

} // namespace

std::map<std::string, std::string> clean_environment() {
  return {{"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/bin"},
          {"HOME", "/root"},
          {"LANG", "C"}};
}

std::string version_in(std::string_view output) {
  constexpr std::string_view k_lead = "k3s version ";
  const std::size_t at = output.find(k_lead);
  if (at == std::string_view::npos) {
    return {};
  }
  output.remove_prefix(at + k_lead.size());
  return terminal_text(output.substr(0, output.find_first_of(" \n\r\t")), k_shown_bytes);
}

std::string
ask_version(ProcessRunner& processes, const std::string& program, std::stop_token stop) {
  ProcessSpec spec;
  spec.program = program;
  spec.arguments = {"--version"};
  spec.environment = clean_environment();
  spec.timeout = std::chrono::seconds(30);
  const auto result = processes.run(spec, std::move(stop));
  return result && result->exit_status == 0 ? version_in(result->out) : std::string();
}

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
    said = result.timed_out ? "no answer" : terminal_text(last_line(result.err), k_shown_bytes);
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

} // namespace rb::k3s
