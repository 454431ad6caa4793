#include "unit/age/support.hpp"

#include "age/kem.hpp"
#include "age/sops_yaml.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::age;

namespace {

const std::string k_a = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";
const std::string k_b = "age1vg88awwupp3tn8wsfeauewkwdvkl3lpxm7yagrgr2jwvl6a4jpzqe6dz8c";

std::string joined(const Result<std::vector<Recipient>>& recipients) {
  if (!recipients) {
    return "error: " + recipients.error().message;
  }
  std::string text;
  for (const Recipient& recipient : *recipients) {
    text += (text.empty() ? "" : " ") + recipient.text();
  }
  return text;
}

Error error_of(const std::string& text) {
  const auto recipients = recipients_from_sops_yaml(text);
  REQUIRE_FALSE(recipients);
  return recipients.error();
}

std::string rule(const std::string& fields) {
  return "creation_rules:\n  - " + fields;
}

} // namespace

TEST_CASE("sops yaml: age may be a string, a folded string, or a list whose items hold commas") {
  const std::string both = k_a + " " + k_b;
  CHECK(joined(recipients_from_sops_yaml(rule("age: " + k_a + "\n"))) == k_a);
  CHECK(joined(recipients_from_sops_yaml(rule("age: " + k_a + "," + k_b + "\n"))) == both);
  CHECK(joined(recipients_from_sops_yaml(rule("age: ' " + k_a + " , " + k_b + " , '\n"))) == both);
  CHECK(joined(recipients_from_sops_yaml(
            rule("age: >-\n      " + k_a + ",\n      " + k_b + "\n"))) == both);
  CHECK(joined(recipients_from_sops_yaml(
            rule("age: |\n      " + k_a + ",\n      " + k_b + ",\n"))) == both);
  CHECK(joined(recipients_from_sops_yaml(
            rule("age:\n      - " + k_a + "\n      - " + k_b + "\n"))) == both);
  CHECK(joined(recipients_from_sops_yaml(rule("age: ['" + k_a + ", " + k_b + "']\n"))) == both);
}

TEST_CASE("sops yaml: blanks beyond ASCII, as web pages and chats bring them, are trimmed") {
  // No-break space, next line, en quad, hair space, line separator, ideographic space.
  for (const std::string& blank : {std::string("\xC2\xA0"),
                                   std::string("\xC2\x85"),
                                   std::string("\xE2\x80\x80"),
                                   std::string("\xE2\x80\x8A"),
                                   std::string("\xE2\x80\xA8"),
                                   std::string("\xE3\x80\x80 \xC2\xA0")}) {
    CAPTURE(blank);
    const std::string items = k_a + "," + blank + k_b + blank;
    CHECK(joined(recipients_from_sops_yaml(rule("age: '" + items + "'\n"))) == k_a + " " + k_b);
    CHECK(joined(recipients_from_sops_yaml(rule("age: ['" + items + "']\n"))) == k_a + " " + k_b);
    CHECK(joined(recipients_from_sops_yaml(rule("key_groups: [{age: ['" + items + "']}]\n"))) ==
          k_a + " " + k_b);
  }
  // A zero width space is no blank, to SOPS neither.
  CHECK_FALSE(recipients_from_sops_yaml(rule("age: \xE2\x80\x8B" + k_a + "\n")));
}

TEST_CASE("sops yaml: duplicates are removed and the order is kept") {
  CHECK(joined(recipients_from_sops_yaml(rule("age: " + k_b + "," + k_a + "," + k_b + "\n"))) ==
        k_b + " " + k_a);
}

TEST_CASE("sops yaml: one key group replaces the flat keys; merged groups belong to it") {
  CHECK(joined(recipients_from_sops_yaml(
            rule("age: " + k_a + "\n    key_groups:\n      - age: [" + k_b + "]\n"))) == k_b);
  CHECK(joined(recipients_from_sops_yaml(rule("key_groups:\n      - age: [" + k_a +
                                              "]\n        merge:\n          - age: [" + k_b +
                                              "]\n"))) == k_b + " " + k_a);
  CHECK(joined(recipients_from_sops_yaml(rule("age: " + k_a + "\n    key_groups: []\n"))) == k_a);
}

TEST_CASE("sops yaml: merge keys are resolved, and what stands in the map itself wins") {
  const std::string base = "base: &base\n  path_regex: ^other/\n  age: " + k_a + "\n";
  // The merged path_regex counts: the first rule is not for us, and its key is not ours.
  CHECK(joined(recipients_from_sops_yaml(base + "creation_rules:\n  - <<: *base\n  - age: " + k_b +
                                         "\n")) == k_b);
  CHECK(joined(recipients_from_sops_yaml(
            base + "creation_rules:\n  - <<: *base\n    path_regex: ''\n")) == k_a);
  CHECK(joined(recipients_from_sops_yaml(base + "creation_rules:\n  - age: " + k_b +
                                         "\n    <<: *base\n    path_regex:\n")) == k_b);
  // Of several merged maps the first wins; a quoted "<<" merges nothing.
  CHECK(joined(recipients_from_sops_yaml(
            "a: &a {age: " + k_a + "}\nb: &b {age: " + k_b +
            ", path_regex: x}\ncreation_rules:\n  - <<: [*a, *b]\n  - age: " + k_b + "\n")) == k_b);
  CHECK(error_of(base + "creation_rules:\n  - '<<': *base\n").code == ErrorCode::not_found);
  CHECK(error_of("creation_rules:\n  - <<: x\n").message ==
        "creation rule 1: a creation rule is not a map in line 2");
  CHECK(joined(recipients_from_sops_yaml(
            "ops: &ops\n  age: [" + k_a +
            "]\ncreation_rules:\n  - key_groups:\n      - <<: *ops\n        pgp: "
            "[x]\n")) == k_a);
}

TEST_CASE("sops yaml: a key that stands twice is refused with its line, as SOPS refuses it") {
  const std::string once = "creation_rules:\n  - age: " + k_a + "\n";
  CHECK(error_of(once + "    age: " + k_b + "\n").message ==
        "creation rule 1: the key age stands there twice in line 3");
  CHECK(error_of(once + "    \"age\": " + k_b + "\n").message ==
        "creation rule 1: the key age stands there twice in line 3");
  CHECK(error_of(once + once).message == "the key creation_rules stands there twice in line 3");
  CHECK(error_of("a: &a {age: x}\ncreation_rules:\n  - <<: *a\n    <<: *a\n").message ==
        "creation rule 1: the key << stands there twice in line 4");
}

TEST_CASE("sops yaml: an empty recipient in a list is refused, in a string it is passed over") {
  CHECK(joined(recipients_from_sops_yaml(rule("age: '" + k_a + ",,'\n"))) == k_a);
  CHECK(error_of(rule("age: ['" + k_a + ",']\n")).message ==
        "creation rule 1: age has an empty recipient: there is a comma too many");
  CHECK(error_of(rule("key_groups: [{age: ['" + k_a + ",']}]\n")).message ==
        "creation rule 1: age has an empty recipient: there is a comma too many");
  CHECK(error_of(rule("key_groups: [{age: " + k_a + "}]\n")).message ==
        "creation rule 1: age of a key group is not a list");
}

TEST_CASE("sops yaml: what is said of a recipient that is not supported shows the way out") {
  const Error mixed =
      error_of(rule("age: " + k_a +
                    ",age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t\n"));
  CHECK(mixed.code == ErrorCode::unsupported);
  CHECK(mixed.hint.find("a creation rule of their own") != std::string::npos);
  CHECK(error_of(rule("age: >-\n      " + k_a + "\n      " + k_b + "\n")).message ==
        "creation rule 1: recipient: malformed: white space within it: a comma is missing between "
        "two "
        "recipients");
  // A recipient of a rule that is not for us is nobody's business here.
  const Error other =
      error_of("creation_rules:\n  - path_regex: ^a/\n    age: age1yubikey1x\n  - path_regex: "
               "^b/\n    age: " +
               k_a + "\n");
  CHECK(other.message == "no creation rule matches railiance-backup.yaml, and the rules name "
                         "different age recipients");
}

TEST_CASE("sops yaml: of several recipients the one that is refused is named") {
  CHECK(error_of(rule("age: [" + k_a + ", " + k_b.substr(0, 60) + "]\n")).message ==
        "creation rule 1: recipient 2 of 2 (" + k_b.substr(0, 24) +
            "...): malformed: wrong checksum");
  CHECK(
      error_of(rule("age: ['" + test::vector_line("ssh-rsa.pub") + "', " + k_a + "]\n")).message ==
      "creation rule 1: recipient 1 of 2 (ssh-rsa...): an ssh-rsa key is not "
      "supported");
  // What may be a secret is not repeated.
  CHECK(error_of(rule("age: [" + k_a + ", " + std::string(test::k_identity) + "]\n")).message ==
        "creation rule 1: recipient 2 of 2: malformed: a private key was given instead of a "
        "public one");
}

TEST_CASE("sops yaml: what people write instead of a list is told by its name") {
  const std::string start = "creation rule 1: recipient: malformed: ";
  const std::string comma = "a comma is missing between two recipients";
  CHECK(error_of(rule("age: " + k_a + ";" + k_b + "\n")).message == start + comma);
  CHECK(error_of(rule("age: " + k_a + k_b + "\n")).message == start + comma);
  for (const std::string& text : {k_a + " # alice", "# alice " + k_a, "#" + k_a}) {
    CAPTURE(text);
    const Error error = error_of(rule("age: '" + text + "'\n"));
    CHECK(error.message.starts_with(start + "within a string"));
    CHECK(error.message.find("a comment is a part of it") != std::string::npos);
  }
  CHECK(error_of(rule("age: '<your public key>'\n")).message == start + "white space within it");
}

TEST_CASE("sops yaml: the rule that gave the recipients is named") {
  const auto by_path =
      recipient_rule_of_sops_yaml(rule("path_regex: .*\\.yaml$\n    age: " + k_a + "\n"));
  REQUIRE(by_path);
  CHECK(by_path->rule == "creation rule 1 (path_regex .*\\.yaml$)");
  const auto any = recipient_rule_of_sops_yaml(rule("age: " + k_a + "\n"));
  REQUIRE(any);
  CHECK(any->rule == "creation rule 1 (for every path)");
}

TEST_CASE("sops yaml: where rules agree, those of KMS or PGP are not said to name the keys") {
  const std::string age = "creation_rules:\n  - {path_regex: ^dev/, age: " + k_a + "}\n";
  const auto alone = recipient_rule_of_sops_yaml(age);
  const auto beside = recipient_rule_of_sops_yaml(age + "  - {path_regex: ^prod/, kms: arn:x}\n");
  REQUIRE(alone);
  REQUIRE(beside);
  const std::string none = "no creation rule matches railiance-backup.yaml; ";
  CHECK(alone->rule == none + "all rules name these recipients");
  CHECK(beside->rule == none + "all rules that have age recipients name these");
}

TEST_CASE("sops yaml: several key groups mean Shamir's scheme and are refused") {
  const Error error = error_of(rule("key_groups:\n      - age: [" + k_a + "]\n      - age: [" +
                                    k_b + "]\n    shamir_threshold: 2\n"));
  CHECK(error.code == ErrorCode::unsupported);
  CHECK(error.message ==
        "creation rule 1: several key groups (Shamir's secret sharing) are not supported");
  CHECK_FALSE(error.hint.empty());
}

TEST_CASE("sops yaml: where all rules must agree, one with several key groups does not") {
  const std::string flat = "  - {path_regex: ^a/, age: '" + k_a + "," + k_b + "'}\n";
  const std::string shamir =
      "  - {path_regex: ^b/, key_groups: [{age: [" + k_a + "]}, {age: [" + k_b + "]}]}\n";
  const std::string words = ": several key groups (Shamir's secret sharing) are not supported";
  CHECK(error_of("creation_rules:\n" + flat + shamir).message == "creation rule 2" + words);
  CHECK(error_of("creation_rules:\n" + shamir + flat).message == "creation rule 1" + words);
  // For other files it may be as it is.
  CHECK(joined(recipients_from_sops_yaml("creation_rules:\n" + shamir + "  - age: " + k_a +
                                         "\n")) == k_a);
}

TEST_CASE("sops yaml: the first rule whose path_regex matches decides") {
  const std::string text = "creation_rules:\n"
                           "  - path_regex: prod/.*\\.yaml$\n    age: " +
                           k_a +
                           "\n"
                           "  - path_regex: backup\n    age: " +
                           k_b +
                           "\n"
                           "  - age: " +
                           k_a + "\n";
  CHECK(joined(recipients_from_sops_yaml(text)) == k_b); // unanchored
  CHECK(joined(recipients_from_sops_yaml(text, "prod/x.yaml")) == k_a);
  CHECK(joined(recipients_from_sops_yaml(text, "other.yaml")) == k_a);
}

TEST_CASE("sops yaml: when no rule matches, rules that agree are enough") {
  const std::string agree = "creation_rules:\n"
                            "  - path_regex: ^secrets/\n    age: " +
                            k_a + "," + k_b +
                            "\n"
                            "  - path_regex: ^pgp/\n    pgp: ABCDEF\n"
                            "  - path_regex: ^other/\n    age: [" +
                            k_b + ", " + k_a + "]\n";
  CHECK(joined(recipients_from_sops_yaml(agree)) == k_a + " " + k_b);
  const Error error = error_of("creation_rules:\n"
                               "  - path_regex: ^secrets/\n    age: " +
                               k_a +
                               "\n"
                               "  - path_regex: ^other/\n    age: " +
                               k_b + "\n");
  CHECK(error.code == ErrorCode::invalid_argument);
  CHECK(error.message == "no creation rule matches railiance-backup.yaml, and the rules name "
                         "different age recipients");
  CHECK(error.hint == "add a creation rule whose path_regex matches railiance-backup.yaml");
}

TEST_CASE("sops yaml: rules that name an SSH key with other comments agree, too") {
  const std::string ssh = test::vector_line("ssh-ed25519.pub");
  const std::string key = ssh.substr(0, ssh.rfind(' '));
  const auto two = [&](const std::string& second) {
    return recipients_from_sops_yaml("creation_rules:\n  - path_regex: ^a/\n    age: " + ssh + "," +
                                     k_a + "\n  - path_regex: ^b/\n    age: " + k_a + "," + second +
                                     "\n");
  };
  CHECK(joined(two(key)) == key + " " + k_a);
  CHECK(joined(two(key + "  alice at home")) == key + " " + k_a);
  CHECK_FALSE(two(key.substr(0, key.size() - 2) + "AA alice"));
}

TEST_CASE("sops yaml: no age recipient is not_found, with what to do") {
  for (const std::string& text : {std::string(),
                                  std::string("---\n"),
                                  std::string("creation_rules: []\n"),
                                  std::string("stores: {}\n"),
                                  rule("pgp: FBC7B9E2A4F9289AC0C1D4843D16CEE4A27381B4\n"),
                                  rule("age: ''\n"),
                                  rule("age:\n"),
                                  rule("age: []\n"),
                                  rule("key_groups:\n      - pgp: [ABC]\n"),
                                  rule("path_regex: ^nowhere$\n    pgp: ABC\n")}) {
    CAPTURE(text);
    const Error error = error_of(text);
    CHECK(error.code == ErrorCode::not_found);
    CHECK(error.hint.starts_with("add the age recipient (age1...) of the backups to .sops.yaml"));
  }
  // A rule for every path is there: one behind it would never be reached.
  CHECK(error_of(rule("kms: arn:aws:kms:eu-central-1:1:key/2\n"))
            .hint.ends_with("before this one: path_regex: ^railiance-backup\\.yaml$ and age: "
                            "age1..."));
}

TEST_CASE("sops yaml: a malformed recipient is an invalid argument, another kind unsupported") {
  const Error malformed = error_of(rule("age: " + k_a.substr(0, 60) + "\n"));
  CHECK(malformed.code == ErrorCode::invalid_argument);
  CHECK(malformed.message == "creation rule 1: recipient: malformed: wrong checksum");
  for (const std::string& other :
       {std::string("age1yubikey1qqq"), test::vector_line("ssh-rsa.pub")}) {
    CAPTURE(other);
    CHECK(error_of(rule("age: " + k_a + "," + other + "\n")).code == ErrorCode::unsupported);
  }
  for (const char* other : {"age1pq1qqq", "age1tag1qqq", "age1tagpq1qqq", "ssh-ed25519 AAAA"}) {
    CAPTURE(other);
    CHECK(error_of(rule("age: " + k_a + "," + other + "\n")).code == ErrorCode::invalid_argument);
  }
  const Error secret = error_of(rule("age: " + std::string(test::k_identity) + "\n"));
  CHECK(secret.code == ErrorCode::invalid_argument);
  CHECK(secret.message.find("EGTZ") == std::string::npos);
}

TEST_CASE(
    "sops yaml: SSH keys and a token's stand beside others; a comment is no part of the key") {
  const std::string ssh = test::vector_line("ssh-ed25519.pub");
  const std::string tag = test::vector_line("tag.pub");
  CHECK(joined(recipients_from_sops_yaml(rule("age: [" + k_a + ", " + ssh + ", " + tag + "]\n"))) ==
        k_a + " " + ssh.substr(0, ssh.rfind(' ')) + " " + tag);
  CHECK(joined(recipients_from_sops_yaml(
            rule("age: >-\n      " + ssh + ",\n      " + ssh.substr(0, ssh.rfind(' ')) + "\n"))) ==
        ssh.substr(0, ssh.rfind(' ')));
}

TEST_CASE("sops yaml: post-quantum recipients stand alone, and a mixture shows the way out") {
  const std::string hybrid = test::vector_line("pq.pub");
  const auto alone = recipients_from_sops_yaml(rule("age: " + hybrid + "\n"));
  const Error mixed = error_of(rule("age: " + k_a + "," + hybrid + "\n"));
  CHECK(mixed.hint.find("a creation rule of their own") != std::string::npos);
  if (!has_ml_kem()) {
    CHECK(alone.error().code == ErrorCode::unsupported);
    CHECK(alone.error().message.find("needs OpenSSL 3.5 or newer") != std::string::npos);
    return;
  }
  CHECK(joined(alone) == hybrid);
  CHECK(mixed.code == ErrorCode::invalid_argument);
  CHECK(mixed.message.starts_with("creation rule 1: recipients: post-quantum ones"));
  CHECK(mixed.hint.ends_with("post-quantum recipients only, or none of them"));
  // A rule for other files may mix as SOPS lets it.
  CHECK(joined(recipients_from_sops_yaml("creation_rules:\n  - {path_regex: ^other/, age: '" + k_a +
                                         "," + hybrid + "'}\n  - age: " + k_a + "\n")) == k_a);
}

TEST_CASE("sops yaml: what is wrong in the keys of a rule for other files is nobody's business") {
  const std::string ours = "creation_rules:\n  - {path_regex: '^railiance', age: " + k_a + "}\n";
  for (const std::string& other :
       std::vector<std::string>{"age: {a: b}",
                                "age: [null]",
                                "age: ['" + k_b + ",']",
                                "encrypted_regex: a, encrypted_suffix: b",
                                "key_groups: [{age: ['" + k_b + ",']}]"}) {
    CAPTURE(other);
    const std::string foreign = "  - {path_regex: '^other/', " + other + "}\n";
    CHECK(joined(recipients_from_sops_yaml(ours + foreign)) == k_a);
    CHECK(joined(recipients_from_sops_yaml("creation_rules:\n" + foreign + ours.substr(16))) ==
          k_a);
    // Where it is the one, or all must agree, it is refused.
    CHECK(error_of("creation_rules:\n  - {" + other + "}\n")
              .message.starts_with("creation rule 1: "));
    CHECK(error_of("creation_rules:\n  - {path_regex: x, age: " + k_a + "}\n" + foreign)
              .message.starts_with("creation rule 2: "));
  }
  // What SOPS refuses wherever it stands is.
  CHECK_FALSE(recipients_from_sops_yaml(ours + "  - {path_regex: '^other/', key_groups: x}\n"));
}

TEST_CASE("sops yaml: an empty rule is one for every path that names nobody, as to SOPS") {
  CHECK(joined(recipients_from_sops_yaml(rule("age: " + k_a + "\n  -\n"))) == k_a);
  CHECK(joined(recipients_from_sops_yaml(rule("{path_regex: x, age: " + k_a + "}\n  - ~\n"))) ==
        "error: creation rule 2: no age recipient");
  CHECK(error_of("creation_rules:\n  -\n  - age: " + k_a + "\n").message ==
        "creation rule 1: no age recipient");
}

TEST_CASE("sops yaml: malformed files are invalid arguments and say where") {
  struct Case {
    std::string text;
    std::string_view message;
  };
  for (const Case& c : {
           Case{"a: [1\n", "not YAML in line 2"},
           Case{"\t- x: y", "not YAML in line 1"},
           Case{"- a\n", "the top level is not a map in line 1"},
           Case{"just text", "the top level is not a map in line 1"},
           Case{"creation_rules: yes\n", "creation_rules is not a list"},
           Case{"creation_rules: [x]\n", "creation rule 1: a creation rule is not a map in line 1"},
           Case{rule("age: {a: b}\n"), "creation rule 1: age is neither a string nor a list"},
           Case{rule("age: [[x]]\n"), "creation rule 1: age holds an item that is not a string"},
           Case{rule("path_regex: [x]\n"), "creation rule 1: path_regex is not a string"},
           Case{rule("key_groups: x\n"), "creation rule 1: key_groups is not a list"},
           Case{rule("key_groups: [x]\n"), "creation rule 1: a key group is not a map in line 2"},
           Case{rule("key_groups: [{merge: x}]\n"),
                "creation rule 1: merge of a key group is not a list"},
           Case{rule("path_regex: '('\n    age: x\n"),
                "creation rule 1: path_regex is not a regular expression: missing ): ("},
       }) {
    CAPTURE(c.text);
    const Error error = error_of(c.text);
    CHECK(error.code == ErrorCode::invalid_argument);
    CHECK(error.message == c.message);
  }
}

TEST_CASE("sops yaml: of what is no YAML the usual cause is said") {
  struct Case {
    std::string text;
    std::string_view hint;
  };
  for (const Case& c : {
           Case{"creation_rules:\n\t- age: x\n", "a tab in its indentation"},
           Case{rule("path_regex: .*\n\tage: x\n"), "a tab in its indentation"},
           Case{rule("path_regex: \".*\\.yaml$\"\n    age: x\n"), "in '...'"},
           Case{rule("path_regex: *.yaml\n    age: x\n"), "a value that begins with *"},
           Case{rule("path_regex: [a-z]+\\.yaml$\n    age: x\n"), "a value that begins with ["},
           Case{"a: [1\n", "SOPS refuses that, too"},
       }) {
    CAPTURE(c.text);
    const Error error = error_of(c.text);
    CHECK(error.message.starts_with("not YAML in line"));
    CHECK(error.hint.find(c.hint) != std::string::npos);
  }
}

TEST_CASE("sops yaml: anchors that contain themselves or multiply are refused, not followed") {
  CHECK(error_of(rule("key_groups:\n      - &g\n        merge: [*g]\n")).code ==
        ErrorCode::invalid_argument);
  std::string text = "x0: &x0 {age: [" + k_a + "]}\n";
  for (int i = 1; i < 8; ++i) {
    const std::string previous = "*x" + std::to_string(i - 1);
    text += "x" + std::to_string(i) + ": &x" + std::to_string(i) + " {merge: [";
    for (int j = 0; j < 9; ++j) {
      text += previous + ", ";
    }
    text += previous + "]}\n";
  }
  const Error error = error_of(text + "creation_rules:\n  - key_groups: [*x7]\n");
  CHECK(error.message == "creation rule 1: key groups are merged too deeply");
}

TEST_CASE("sops yaml: a file larger than 1 MiB is refused") {
  CHECK(error_of(std::string(k_sops_yaml_limit_bytes + 1, '#')).code ==
        ErrorCode::invalid_argument);
}
