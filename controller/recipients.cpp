#include "controller/recipients.hpp"

#include "age/sops_yaml.hpp"
#include "base/fd.hpp"

namespace rb::controller {

namespace {

RecipientsProblem problem(const Error& error, const std::string& path) {
  const auto reason = error.code == ErrorCode::not_found ? api::Reason::recipient_missing
                                                         : api::Reason::recipient_invalid;
  std::string message = error.message;
  if (message.find(path) != 0) {
    message = path + ": " + message;
  }
  if (!error.hint.empty()) {
    message += "; " + error.hint;
  }
  return {reason, std::move(message)};
}

} // namespace

Recipients read_recipients(const std::string& sops_yaml_path) {
  auto text = read_text_file(sops_yaml_path, age::k_sops_yaml_limit_bytes);
  if (!text) {
    Error error = std::move(text).error();
    if (error.code == ErrorCode::not_found) {
      error.hint = "put your .sops.yaml into the ConfigMap railiance-backup-sops";
    }
    return problem(error, sops_yaml_path);
  }
  auto recipients = age::recipients_from_sops_yaml(*text);
  if (!recipients) {
    return problem(recipients.error(), sops_yaml_path);
  }
  return *std::move(recipients);
}

} // namespace rb::controller
