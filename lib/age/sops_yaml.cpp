#include "age/sops_yaml.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>

namespace rb::age {

namespace {

constexpr std::string_view k_hint_no_recipient =
    "add the age recipient (age1...) of the backups to .sops.yaml";

Result<bool> matches(const CreationRule& rule, std::string_view path) {
  if (!rule.path_regex) {
    return true;
  }
  RE2::Options options;
  options.set_log_errors(false);
  const RE2 regex(*rule.path_regex, options);
  if (!regex.ok()) {
    return Error{ErrorCode::invalid_argument,
                 "path_regex is not a regular expression: " + regex.error(),
                 "SOPS takes the syntax of RE2"};
  }
  return RE2::PartialMatch({path.data(), path.size()}, regex);
}

/// Recipients that we can't take may be right for the operator's other files: the backups then need
/// a rule of their own.
Error with_way_out(Error error, std::string_view which) {
  error.hint = "give the backups a creation rule of their own, before this one, with path_regex: "
               "^railiance-backup\\.yaml$ and " +
               std::string(which);
  return error;
}

/// Of several recipients, which it is: "recipient 2 of 3 (age1yubikey1...): ...". What does not
/// begin as a public key is not repeated.
Error naming(Error error, const std::vector<std::string>& recipients, std::size_t index) {
  constexpr std::string_view k_subject = "recipient: ";
  constexpr std::size_t k_shown = 24;
  const std::string& text = recipients[index];
  if (recipients.size() == 1 || !error.message.starts_with(k_subject)) {
    return error;
  }
  std::string name =
      "recipient " + std::to_string(index + 1) + " of " + std::to_string(recipients.size());
  if (text.starts_with("age1") || text.starts_with("ssh-")) {
    const std::size_t end = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-");
    name += " (" + text.substr(0, std::min({end, text.size(), k_shown})) + "...)";
  }
  error.message = name + ": " + error.message.substr(k_subject.size());
  return error;
}

/// To encrypt to the keys of all groups would weaken what they stand for.
Status check_groups(const CreationRule& rule) {
  return rule.key_groups > 1
             ? Status(Error{ErrorCode::unsupported,
                            "several key groups (Shamir's secret sharing) are not supported",
                            "give the backups a creation rule of their own with one key group "
                            "(path_regex: ^railiance-backup\\.yaml$), before this one"})
             : Status();
}

Result<std::vector<Recipient>> recipients_of(const CreationRule& rule) {
  RB_TRY(check_groups(rule));
  std::vector<Recipient> recipients;
  for (std::size_t i = 0; i < rule.age.size(); ++i) {
    auto recipient = Recipient::parse(rule.age[i]);
    if (!recipient) {
      Error error = naming(std::move(recipient).error(), rule.age, i);
      return error.code == ErrorCode::unsupported
                 ? with_way_out(std::move(error),
                                "recipients of age (age1...) or ssh-ed25519 keys only")
                 : std::move(error);
    }
    if (std::find(recipients.begin(), recipients.end(), *recipient) == recipients.end()) {
      recipients.push_back(*std::move(recipient));
    }
  }
  if (Status together = check_together(recipients); !together) {
    return with_way_out(std::move(together).error(),
                        "post-quantum recipients only, or none of them");
  }
  return recipients;
}

std::string rule_name(std::size_t index) {
  return "creation rule " + std::to_string(index + 1);
}

Result<std::vector<Recipient>> required_recipients_of(const CreationRule& rule, std::size_t index) {
  if (rule.problem) {
    return Error(*rule.problem).within(rule_name(index));
  }
  if (rule.age.empty()) {
    return Error{ErrorCode::not_found,
                 rule_name(index) + ": no age recipient",
                 std::string(k_hint_no_recipient) +
                     ", best in a creation rule of their own before this one: path_regex: "
                     "^railiance-backup\\.yaml$ and age: age1..."};
  }
  auto recipients = recipients_of(rule);
  if (!recipients) {
    return std::move(recipients).error().within(rule_name(index));
  }
  return recipients;
}

/// "ssh-ed25519 AAAA…", whatever stands behind it.
std::string without_comment(const std::string& recipient) {
  constexpr const char* k_blanks = " \t";
  if (!recipient.starts_with("ssh-")) {
    return recipient;
  }
  const std::size_t type_end = std::min(recipient.find_first_of(k_blanks), recipient.size());
  const std::size_t key =
      std::min(recipient.find_first_not_of(k_blanks, type_end), recipient.size());
  const std::size_t key_end = std::min(recipient.find_first_of(k_blanks, key), recipient.size());
  return recipient.substr(0, type_end) + " " + recipient.substr(key, key_end - key);
}

std::set<std::string> as_set(const std::vector<std::string>& recipients) {
  std::set<std::string> keys;
  for (const std::string& recipient : recipients) {
    keys.insert(without_comment(recipient));
  }
  return keys;
}

/// "creation rule 2 (path_regex .*\.yaml$)"
std::string said_rule(const CreationRule& rule, std::size_t index) {
  return rule_name(index) + (rule.path_regex && !rule.path_regex->empty()
                                 ? " (path_regex " + *rule.path_regex + ")"
                                 : " (for every path)");
}

/// No rule is meant for us: fine as long as all of them that know age agree. What they name is
/// compared before it is read: a recipient of a rule for other files is nobody's business here.
Result<RecipientRule> common_recipients(const std::vector<CreationRule>& rules,
                                        std::string_view nominal_path) {
  std::optional<std::size_t> first;
  bool others = false; // rules without age, of KMS or PGP say
  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (rules[i].problem) {
      return Error(*rules[i].problem).within(rule_name(i));
    }
    if (rules[i].age.empty()) {
      others = true;
      continue;
    }
    if (Status groups = check_groups(rules[i]); !groups) {
      return std::move(groups).error().within(rule_name(i));
    }
    if (first && as_set(rules[i].age) != as_set(rules[*first].age)) {
      return Error{ErrorCode::invalid_argument,
                   "no creation rule matches " + std::string(nominal_path) +
                       ", and the rules name different age recipients",
                   "add a creation rule whose path_regex matches " + std::string(nominal_path)};
    }
    first = first.value_or(i);
  }
  if (!first) {
    return Error{ErrorCode::not_found,
                 "no age recipient in any creation rule",
                 std::string(k_hint_no_recipient)};
  }
  RB_TRY_ASSIGN(auto recipients, required_recipients_of(rules[*first], *first));
  return RecipientRule{std::move(recipients),
                       "no creation rule matches " + std::string(nominal_path) +
                           (others ? "; all rules that have age recipients name these"
                                   : "; all rules name these recipients")};
}

} // namespace

Result<std::vector<Recipient>> recipients_from_sops_yaml(std::string_view text,
                                                         std::string_view nominal_path) {
  RB_TRY_ASSIGN(RecipientRule rule, recipient_rule_of_sops_yaml(text, nominal_path));
  return std::move(rule.recipients);
}

Result<RecipientRule> recipient_rule_of_sops_yaml(std::string_view text,
                                                  std::string_view nominal_path) {
  if (text.size() > k_sops_yaml_limit_bytes) {
    return Error{ErrorCode::invalid_argument, "larger than 1 MiB", {}};
  }
  RB_TRY_ASSIGN(const auto rules, read_creation_rules(text));
  if (rules.empty()) {
    return Error{ErrorCode::not_found, "no creation rule", std::string(k_hint_no_recipient)};
  }
  for (std::size_t i = 0; i < rules.size(); ++i) {
    auto matched = matches(rules[i], nominal_path);
    if (!matched) {
      return std::move(matched).error().within(rule_name(i));
    }
    if (*matched) {
      RB_TRY_ASSIGN(auto recipients, required_recipients_of(rules[i], i));
      return RecipientRule{std::move(recipients), said_rule(rules[i], i)};
    }
  }
  return common_recipients(rules, nominal_path);
}

} // namespace rb::age
