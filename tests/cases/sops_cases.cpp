#include "cases/cases.hpp"

#include "age/file.hpp"
#include "age/kem.hpp"
#include "age/sops_yaml.hpp"

#include <map>

namespace rb::cases {

namespace {

/// What is right of a named input: so many recipients, or a refusal with these words.
struct Expected {
  std::size_t recipients = 0;
  std::string words;
};

const std::map<std::string, Expected, std::less<>>& expectations() {
  static const std::map<std::string, Expected, std::less<>> k_expected{
      {"s01-merge-key", {2, {}}},
      {"s02-group-merge-key", {2, {}}},
      {"s03-duplicate-age", {0, "age stands there twice in line 4"}},
      {"s08-yubikey-mixed",
       {0,
        "a plugin or hardware key is not supported; give the backups a creation rule of their "
        "own"}},
      {"s09-ssh-mixed", {2, {}}},
      {"s16-space-separated", {0, "a comma is missing"}},
      {"s17-pq",
       age::has_ml_kem() ? Expected{1, {}}
                         : Expected{0, "a post-quantum key needs OpenSSL 3.5 or newer"}},
      {"s20-unrelated-rule-yubikey",
       {0,
        "no creation rule matches railiance-backup.yaml, and the rules name different age "
        "recipients"}},
      {"s26-catch-all-dev", {1, {}}},
      {"s31-no-break-space", {2, {}}},
      {"s32-kms-only", {0, "before this one: path_regex: ^railiance-backup\\.yaml$"}},
      {"s33-first-line-indented", {1, {}}},
      {"s34-no-rule-for-us", {1, {}}},
      {"s35-shamir-agrees", {0, "creation rule 2: several key groups"}},
      {"s36-folded-comment", {0, "a comment is a part of it"}},
      {"s37-double-quoted-regex", {0, "write a regular expression in '...'"}},
      {"s38-ssh-comment", {2, {}}},
  };
  return k_expected;
}

} // namespace

namespace {

/// Nothing, or what is wrong: the keys beside the inputs (pq-keys.txt) open what is encrypted to
/// the recipients that are theirs.
std::string opened_by(const std::vector<age::Recipient>& recipients,
                      const std::filesystem::path& keys) {
  const auto file = age::parse_identity_file(contents_of(keys));
  const auto sealed = age::encrypt_bytes(as_bytes("plain"), recipients);
  if (!file || !sealed) {
    return file ? sealed.error().message : file.error().message;
  }
  const auto opened = age::decrypt_bytes(*sealed, file->identities);
  return opened && opened->text() == "plain" ? "" : "its key does not open it";
}

} // namespace

Verdict check_sops(const std::filesystem::path& file) {
  const auto rule = age::recipient_rule_of_sops_yaml(contents_of(file));
  const auto expected = expectations().find(file.stem().string());
  const bool known = expected != expectations().end();
  if (!rule) {
    const std::string said = rule.error().message + "; " + rule.error().hint;
    return {!known || (expected->second.recipients == 0 &&
                       said.find(expected->second.words) != std::string::npos),
            "refused: " + said};
  }
  const auto keys = file.parent_path() / "pq-keys.txt";
  if (file.stem() == "s17-pq" && std::filesystem::exists(keys)) {
    if (const std::string wrong = opened_by(rule->recipients, keys); !wrong.empty()) {
      return {false, wrong};
    }
  }
  return {!known || rule->recipients.size() == expected->second.recipients,
          std::to_string(rule->recipients.size()) + " recipients by " + rule->rule};
}

} // namespace rb::cases
