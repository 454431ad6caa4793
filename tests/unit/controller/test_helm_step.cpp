// The mounted .sops.yaml: typed reason and message of everything that can be wrong with it.
#include "controller/helm_step.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

#include <cstdio>
#include <fstream>

using namespace rb;
using namespace rb::controller;

namespace {

constexpr const char* k_recipient =
    "age1yc62fkeuv6nudpzqazkygfva05qtmdya854deenk5e55usw3yenqkdnlp6";

struct File {
  explicit File(const std::string& text) { std::ofstream(path) << text; }
  ~File() { std::remove(path.c_str()); }
  std::string path = "/tmp/unit-controller-" + std::to_string(::getpid()) + ".sops.yaml";
};

RecipientsProblem problem_of(const std::string& text) {
  const File file(text);
  const Recipients recipients = read_recipients(file.path);
  REQUIRE(std::holds_alternative<RecipientsProblem>(recipients));
  const auto problem = std::get<RecipientsProblem>(recipients);
  CHECK(problem.message.find(file.path + ": ") == 0);
  return problem;
}

} // namespace

TEST_CASE("recipients are those of the creation rule") {
  const File file(std::string("creation_rules:\n  - age: ") + k_recipient + "\n");
  const Recipients recipients = read_recipients(file.path);
  REQUIRE(std::holds_alternative<std::vector<age::Recipient>>(recipients));
  CHECK(std::get<0>(recipients).at(0).text() == k_recipient);
}

TEST_CASE("no file: RecipientMissing, and what to do") {
  const Recipients recipients = read_recipients("/nonexistent/.sops.yaml");
  REQUIRE(std::holds_alternative<RecipientsProblem>(recipients));
  const auto& problem = std::get<RecipientsProblem>(recipients);
  CHECK(problem.reason == api::Reason::recipient_missing);
  CHECK(problem.message.find("/nonexistent/.sops.yaml: ") == 0);
  CHECK(problem.message.find("ConfigMap railiance-backup-sops") != std::string::npos);
}

TEST_CASE("no age recipient (PGP only): RecipientMissing") {
  CHECK(problem_of("creation_rules:\n  - pgp: 0123456789ABCDEF\n").reason ==
        api::Reason::recipient_missing);
}

TEST_CASE("a malformed recipient, an unknown kind, no YAML: RecipientInvalid") {
  for (const char* text : {"creation_rules:\n  - age: age1nonsense\n",
                           "creation_rules:\n  - age: ssh-ed25519 AAAA\n",
                           "creation_rules:\n  - age: age1yubikey1qqq\n",
                           "creation_rules: [\n"}) {
    CAPTURE(text);
    CHECK(problem_of(text).reason == api::Reason::recipient_invalid);
  }
}
