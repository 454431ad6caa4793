#include "cli/commands.hpp"

#include "base/version.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::cli;

namespace {

Result<Options> parse(std::vector<std::string> args) {
  return parse_options(args);
}

} // namespace

TEST_CASE("create takes every field of the spec from the command line") {
  const auto options = parse({"create",
                              "nightly",
                              "--wait",
                              "--artifacts",
                              "EtcdSnapshot,helm-values",
                              "--keep-last",
                              "3",
                              "--deadline",
                              "90m",
                              "--node",
                              "server-1",
                              "--ttl",
                              "2d",
                              "--timeout",
                              "5m",
                              "--servers",
                              "one",
                              "--verification",
                              "Boot"});
  REQUIRE(options);
  const auto& create = std::get<CreateCommand>(options->command);
  CHECK(create.name == "nightly");
  CHECK(create.wait);
  CHECK_FALSE(create.attach);
  CHECK(create.artifacts ==
        std::vector{api::ArtifactType::datastore, api::ArtifactType::helm_values});
  CHECK(create.keep_last == 3);
  CHECK(create.deadline == std::chrono::minutes(90));
  CHECK(create.node == "server-1");
  CHECK(create.ttl == std::chrono::hours(48));
  CHECK(create.timeout == std::chrono::minutes(5));
  CHECK(create.servers == api::Servers::one);
  CHECK(std::get<CreateCommand>(parse({"create"})->command).servers == api::Servers::all);
  CHECK(create.verification == api::Verification::boot);
  CHECK(std::get<CreateCommand>(parse({"create"})->command).verification ==
        api::Verification::snapshot);
}

TEST_CASE("the cluster and the form of output may stand before and behind the command") {
  for (const auto& args : {std::vector<std::string>{"--kubeconfig", "k", "-o", "json", "list"},
                           std::vector<std::string>{"list", "--kubeconfig", "k", "-o", "json"}}) {
    const auto options = parse(args);
    REQUIRE(options);
    CHECK(options->cluster.kubeconfig == "k");
    CHECK(options->output == OutputFormat::json);
    CHECK(std::holds_alternative<ListCommand>(options->command));
  }
}

TEST_CASE("what cannot be meant is refused as usage, with a message that names it") {
  const std::vector<std::pair<std::vector<std::string>, std::string>> refused{
      {{}, "a command is required"},
      {{"restore"}, "restore"},
      {{"create", "--keep-last", "0"}, "keep-last"},
      {{"create", "--keep-last", "1001"}, "keep-last"},
      {{"create", "--artifacts", "EtcdSnapshot,Disk"}, "Disk"},
      {{"create", "--deadline", "soon"}, "soon"},
      {{"create", "--deadline", "25h"}, "--deadline"},
      {{"create", "--deadline", "0"}, "--deadline"},
      {{"create", "Not_A_Name"}, "Not_A_Name"},
      {{"create", std::string(254, 'a')}, "Kubernetes object name"},
      {{"create", "--attach"}, "--attach"},
      {{"create", "--servers", "two"}, "two"},
      {{"create", "--verification", "twice"}, "twice"},
      {{"create", "--verification", "boot", "--artifacts", "Kubeconfig"}, "Datastore"},
      {{"create", "a", "b"}, "b"},
      {{"show"}, "NAME"},
      {{"show", "../secrets"}, "../secrets"},
      {{"list", "--output", "yaml"}, "yaml"},
      {{"show", "x", "--output", "name"}, "name"},
      {{"completion", "tcsh"}, "tcsh"},
  };
  for (const auto& [args, word] : refused) {
    CAPTURE(word);
    const auto options = parse(args);
    REQUIRE_FALSE(options);
    CHECK(options.error().code == ErrorCode::invalid_argument);
    CHECK(options.error().message.find(word) != std::string::npos);
  }
}

TEST_CASE("a name of 253 characters is a name") {
  const auto options = parse({"create", std::string(253, 'a')});
  REQUIRE(options);
  CHECK(std::get<CreateCommand>(options->command).name.size() == 253);
}

TEST_CASE("a name behind --artifacts is the name") {
  const auto options = parse({"create", "--artifacts", "Kubeconfig,HostState", "nightly"});
  REQUIRE(options);
  CHECK(std::get<CreateCommand>(options->command).name == "nightly");
  CHECK(std::get<CreateCommand>(options->command).artifacts.size() == 2);
}

TEST_CASE("an artifact that is named twice is asked for once") {
  const auto options = parse({"create", "--artifacts", "Kubeconfig,kubeconfig"});
  REQUIRE(options);
  CHECK(std::get<CreateCommand>(options->command).artifacts.size() == 1);
}

TEST_CASE("--help lists the exit codes, --version the version") {
  const auto help = parse({"--help"});
  REQUIRE(help);
  const auto& text = std::get<PrintCommand>(help->command).text;
  CHECK(text.find("the cluster or the agent can't be reached") != std::string::npos);
  CHECK(text.find("completion") != std::string::npos);
  const auto version = parse({"--version"});
  REQUIRE(version);
  CHECK(std::get<PrintCommand>(version->command).text == version_line("railiance-backup") + "\n");
}

TEST_CASE("install takes what the operator decides, and leaves the rest to the package") {
  const auto usual = parse({"install"});
  REQUIRE(usual);
  const auto& plain = std::get<InstallCommand>(usual->command);
  CHECK(plain.sops.empty());
  CHECK_FALSE(plain.backup_dir);
  CHECK_FALSE(plain.keep_last);
  CHECK_FALSE(plain.schedule);
  CHECK(plain.timeout == std::chrono::minutes(3));
  const auto options = parse({"install",
                              "--sops",
                              "s.yaml",
                              "--backup-dir",
                              "/mnt/usb/b",
                              "--keep-last",
                              "30",
                              "--schedule",
                              "30 3 * * *",
                              "--time-zone",
                              "Etc/UTC",
                              "--from",
                              "/opt/package",
                              "--dry-run",
                              "--timeout",
                              "90s",
                              "--kubeconfig",
                              "k"});
  REQUIRE(options);
  const auto& install = std::get<InstallCommand>(options->command);
  CHECK(install.sops == "s.yaml");
  CHECK(install.backup_dir == "/mnt/usb/b");
  CHECK(install.keep_last == 30);
  CHECK(install.schedule == "30 3 * * *");
  CHECK(install.time_zone == "Etc/UTC");
  CHECK(install.from == "/opt/package");
  CHECK(install.dry_run);
  CHECK(install.timeout == std::chrono::seconds(90));
  CHECK(options->cluster.kubeconfig == "k");
  CHECK_FALSE(parse({"install", "--keep-last", "0"}));
  CHECK_FALSE(parse({"install", "--timeout", "soon"}));
  CHECK_FALSE(parse({"uninstall", "everything"}));
  CHECK(std::get<UninstallCommand>(parse({"uninstall"})->command).timeout ==
        std::chrono::minutes(2));
}

TEST_CASE(
    "as a plugin of kubectl it knows backup, which waits, and its help says how it is typed") {
  const auto as_plugin = [](std::vector<std::string> args) {
    return parse_options(args, k_plugin);
  };
  const auto backup = as_plugin({"backup", "nightly", "--keep-last", "3"});
  REQUIRE(backup);
  const auto& create = std::get<CreateCommand>(backup->command);
  CHECK(create.wait);
  CHECK(create.name == "nightly");
  CHECK(create.keep_last == 3);
  CHECK_FALSE(std::get<CreateCommand>(as_plugin({"create"})->command).wait);
  CHECK_FALSE(parse({"backup"})); // not of the program itself

  const auto help = as_plugin({"status", "--help"});
  REQUIRE(help);
  const auto& text = std::get<PrintCommand>(help->command).text;
  CHECK(text.find("kubectl railiance status --output json") != std::string::npos);
  CHECK(text.find("railiance-backup status") == std::string::npos);
  const auto all = as_plugin({"--help"});
  REQUIRE(all);
  CHECK(std::get<PrintCommand>(all->command).text.find("kubectl railiance") != std::string::npos);
}

TEST_CASE("kubectl is told what may come next, of what is typed already") {
  const auto words = [](std::vector<std::string> args) {
    std::vector<std::string> plain;
    for (const std::string& word : plugin_words(args)) {
      CHECK(word.find('\t') != std::string::npos);
      plain.push_back(word.substr(0, word.find('\t')));
    }
    return plain;
  };
  CHECK(words({"st"}) == std::vector<std::string>{"status"});
  CHECK(words({"backup", "--keep"}) == std::vector<std::string>{"--keep-last"});
  CHECK(words({"list", "--kub"}) == std::vector<std::string>{"--kubeconfig"});
  const auto all = words({""});
  CHECK(all.size() == 11);
  CHECK(words({}) == all);
  CHECK(words({"show", ""}).empty()); // names of backups, which the cluster knows
  CHECK(words({"nonsense"}).empty());
}
