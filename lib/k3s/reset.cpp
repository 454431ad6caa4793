#include "k3s/reset.hpp"

#include "k3s/command.hpp"
#include "k3s/output.hpp"

#include "base/secret_bytes.hpp"

#include <algorithm>
#include <array>

namespace rb::k3s {

namespace {

constexpr std::array<const char*, 18> k_carried{"config",
                                                "node-name",
                                                "node-ip",
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

constexpr const char* k_token_variable = "K3S_TOKEN";
constexpr std::string_view k_done = "restart without --cluster-reset flag now";

struct Saying {
  std::string_view words;
  ErrorCode code;
  std::string_view hint;
};

constexpr std::array<Saying, 8> k_sayings{{
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

bool holds(std::string_view text, std::string_view words) {
  return text.find(words) != std::string_view::npos;
}

Error failed(const ProcessResult& result) {
  const std::string words = last_words(result.err + "\n" + result.out);
  std::string message = "k3s server --cluster-reset: ";
  if (result.signal != 0) {
    message += "ended by signal " + std::to_string(result.signal);
  } else {
    message += "exit status " + std::to_string(result.exit_status);
  }
  message += words.empty() ? "" : ": " + words;
  for (const Saying& saying : k_sayings) {
    if (holds(words, saying.words)) {
      return {saying.code, std::move(message), std::string(saying.hint)};
    }
  }
  return {ErrorCode::io, std::move(message), {}};
}

} // namespace

std::vector<std::string> carried_flags(const ServerSettings& settings) {
  std::vector<std::string> carried;
  for (const char* const flag : k_carried) {
    for (const Setting& setting : settings.of(flag)) {
      if (setting.origin != Origin::config) {
        carried.push_back(std::string("--") + flag +
                          (setting.value.empty() ? "" : "=" + setting.value));
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
  spec.environment = clean_environment();
  if (!order.token.empty()) {
    spec.environment.emplace(k_token_variable, order.token);
  }
  spec.arguments = {"server",
                    "--cluster-reset",
                    "--cluster-reset-restore-path=" + order.snapshot_path,
                    "--data-dir=" + order.data_dir,
                    // With S3 in config.yaml the path would be the name of an object there.
                    "--etcd-s3=false"};
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
  if (result.timed_out) {
    return Error{ErrorCode::timeout,
                 "k3s server --cluster-reset: did not end in time and was stopped",
                 "see its log; give it longer with --reset-timeout"};
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

} // namespace rb::k3s
