#include "k3s/command.hpp"

#include "k3s/lines.hpp"
#include "k3s/output.hpp"
#include "terminal/terminal_text.hpp"

#include "base/process.hpp"
#include "base/secret_bytes.hpp"

#include <array>

namespace rb::k3s {

namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

constexpr std::size_t k_shown_bytes = 80;

/// What the reset must know as the server does. Among them what says which address etcd's member
/// has (without node-ip that of flannel-iface): a server of another one is none of its cluster.
constexpr std::array<const char*, 19> k_carried{"config",
                                                "node-name",
                                                "node-ip",
                                                "flannel-iface",
                                                "node-external-ip",
                                                "bind-address",
                                                "advertise-address",
                                                "https-listen-port",
                                                "supervisor-port",
                                                "cluster-cidr",
                                                "service-cidr",
                                                "cluster-dns",
                                                "cluster-domain",
                                                "service-node-port-range",
                                                "flannel-backend",
                                                "secrets-encryption",
                                                "secrets-encryption-provider",
                                                "etcd-arg",
                                                "disable-agent"};

/// Those that may stand alone.
constexpr std::array<std::string_view, 2> k_carried_switches{"secrets-encryption", "disable-agent"};

constexpr const char* k_token_variable = "K3S_TOKEN";
constexpr std::string_view k_done = "restart without --cluster-reset flag now";
constexpr std::string_view k_old_name = "/etcd-old-";
constexpr std::string_view k_taken = ": file exists"; // of Go's os.Rename onto a directory

constexpr std::array<KnownMessage<ErrorCode>, 8> k_known{{
    {"encrypted with different token",
     ErrorCode::invalid_argument,
     "the server token is not the one of this snapshot: a `token:` in config.yaml or a token that "
     "was rotated after the backup?"},
    {"does not exist, please pass --token",
     ErrorCode::invalid_argument,
     "the server token is missing: restore from a set with host state"},
    {"while server URL is set",
     ErrorCode::invalid_argument,
     "remove `server:` from config.yaml and K3S_URL from the unit"},
    {"snapshot path does not exist", ErrorCode::not_found, "was the file removed meanwhile?"},
    {"snapshot restore failed", ErrorCode::corrupt, "choose another set"},
    {"host-local", ErrorCode::not_found, "the CNI plugin host-local is not in PATH"},
    {"no space left on device", ErrorCode::no_space, "make room on the data directory's disk"},
    {"forms of the same flag",
     ErrorCode::invalid_argument,
     "config.yaml and the unit name one setting twice: keep one"},
}};

Error failed(const ProcessResult& result) {
  const std::string words = last_words(result.err + "\n" + result.out);
  std::string message =
      "k3s server --cluster-reset: " + how_it_ended(result) + (words.empty() ? "" : ": " + words);
  if (const auto* const known = find_known(k_known, words)) {
    return {known->meaning, std::move(message), std::string(known->hint)};
  }
  return {ErrorCode::io, std::move(message), {}};
}

} // namespace

std::map<std::string, std::string> clean_environment() {
  return {{"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/bin"},
          {"HOME", "/root"},
          {"LANG", "C"}};
}

std::map<std::string, std::string> environment_in(const std::string& data_dir) {
  auto environment = clean_environment();
  environment["K3S_DATA_DIR"] = data_dir;
  return environment;
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
  spec.environment =
      kubectl.environment.empty() ? environment_in(kubectl.data_dir) : kubectl.environment;
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
                                      Waiter& waiter,
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
    waiter.wait(wait.interval, stop);
  }
}

std::vector<std::string> carried_flags(const ServerSettings& settings, const ServerSettings& then) {
  std::vector<std::string> carried;
  const auto carry = [&](const std::string& flag, const std::string& value) {
    carried.push_back("--" + flag + (value.empty() ? "" : "=" + value));
  };
  for (const char* const flag : k_carried) {
    bool unknown = false;
    for (const Setting& setting : settings.of(flag)) {
      if (setting.origin == Origin::config) {
        continue;
      }
      if (setting.value.empty() && !is_among(k_carried_switches, flag)) {
        unknown = true;
      } else {
        carry(flag, setting.value);
      }
    }
    for (const std::string& value : unknown ? then.values(flag) : std::vector<std::string>()) {
      if (!value.empty()) {
        carry(flag, value);
      }
    }
  }
  return carried;
}

Result<ProcessSpec> reset_spec(const ResetOrder& order) {
  for (const std::string& path : {order.program, order.data_dir, order.snapshot_path}) {
    if (!path.starts_with('/')) {
      return Error{ErrorCode::invalid_argument, path + ": not an absolute path", {}};
    }
  }
  if (order.snapshot_path.ends_with(".zip")) {
    return Error{ErrorCode::invalid_argument,
                 order.snapshot_path + ": k3s would look for a .zip elsewhere",
                 "give it the unzipped snapshot"};
  }
  ProcessSpec spec;
  spec.program = order.program;
  spec.timeout = order.timeout;
  spec.environment = environment_in(order.data_dir);
  if (!order.token.empty()) {
    spec.environment.emplace(k_token_variable, order.token);
  }
  spec.arguments = {"server",
                    "--cluster-reset",
                    "--cluster-reset-restore-path=" + order.snapshot_path,
                    "--data-dir=" + order.data_dir,
                    // With S3 in config.yaml the path would be the name of an object there.
                    "--etcd-s3=false",
                    // With `log:` in it the word that it is done would stand in that file alone.
                    "--alsologtostderr"};
  spec.arguments.insert(spec.arguments.end(), order.carried.begin(), order.carried.end());
  return spec;
}

void wipe_token(ProcessSpec& spec) {
  const auto token = spec.environment.find(k_token_variable);
  if (token != spec.environment.end()) {
    auto* const bytes = reinterpret_cast<std::uint8_t*>(token->second.data());
    wipe(MutableByteView(bytes, token->second.size()));
    spec.environment.erase(token);
  }
}

Status judge_reset(const ProcessResult& result) {
  if (result.timed_out) { // its log goes to us alone
    const std::string words = last_attempt(result.err + "\n" + result.out);
    const auto* const known = find_known(k_known, words);
    return Error{ErrorCode::timeout,
                 "k3s server --cluster-reset: did not end in time and was stopped" +
                     (words.empty() ? "" : ": " + words),
                 known == nullptr ? "give it longer with --reset-timeout where it only is slow"
                                  : std::string(known->hint)};
  }
  if (result.exit_status != 0) {
    return failed(result);
  }
  if (!holds(result.err, k_done) && !holds(result.out, k_done)) {
    return Error{
        ErrorCode::io, "k3s server --cluster-reset: ended without saying that it is done", {}};
  }
  return {};
}

bool old_name_was_taken(const ProcessResult& result) {
  const std::string_view said = result.err;
  const auto name = said.rfind(k_old_name);
  if (result.timed_out || result.exit_status == 0 || name == std::string_view::npos) {
    return false;
  }
  const auto after = said.find_first_not_of("0123456789", name + k_old_name.size());
  return after != std::string_view::npos && said.substr(after).starts_with(k_taken);
}

} // namespace rb::k3s
