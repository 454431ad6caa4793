// recipients: who can read the backups, said before anything is installed.
#include "cli/commands.hpp"
#include "cli/failure.hpp"
#include "terminal/terminal_text.hpp"

#include "age/sops_yaml.hpp"
#include "base/fd.hpp"

#include <nlohmann/json.hpp>

namespace rb::cli {

namespace {

Result<age::RecipientRule> read_rule(const std::string& file) {
  RB_TRY_ASSIGN(const std::string text, read_text_file(file, age::k_sops_yaml_limit_bytes));
  auto rule = age::recipient_rule_of_sops_yaml(text);
  if (!rule) {
    return std::move(rule).error().within(file);
  }
  return rule;
}

} // namespace

int recipients(const RecipientsCommand& command, OutputFormat output, Io& io) {
  const auto rule = read_rule(command.file);
  if (!rule) {
    return fail(io, rule.error());
  }
  nlohmann::json keys = nlohmann::json::array();
  for (const age::Recipient& recipient : rule->recipients) {
    keys.push_back(recipient.text());
  }
  if (output == OutputFormat::json) {
    io.out << nlohmann::json{{"rule", rule->rule}, {"recipients", keys}}.dump(
                  2, ' ', false, nlohmann::json::error_handler_t::replace)
           << '\n';
    return static_cast<int>(ExitCode::done);
  }
  io.out << "By " << terminal_text(rule->rule)
         << ", whoever has a private key of these can read the backups:\n";
  for (const auto& key : keys) {
    io.out << "  " << key.get<std::string>() << '\n';
  }
  return static_cast<int>(ExitCode::done);
}

} // namespace rb::cli
