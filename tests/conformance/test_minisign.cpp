// Our signatures checked by the stock minisign program, and its own by us. Needs minisign:
// RB_MINISIGN names it, else PATH is searched.
#include "sign/signing_key.hpp"
#include "support/temporary_directory.hpp"

#include "base/process.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>

using namespace rb;
using namespace rb::sign;
namespace fs = std::filesystem;

namespace {

std::string find_minisign() {
  if (const char* given = std::getenv("RB_MINISIGN"); given != nullptr && *given != '\0') {
    REQUIRE_MESSAGE(fs::exists(given), "RB_MINISIGN names " << given << ", which is not there");
    return given;
  }
  const char* path = std::getenv("PATH");
  std::istringstream directories(path == nullptr ? "" : path);
  for (std::string directory; std::getline(directories, directory, ':');) {
    if (fs::exists(fs::path(directory) / "minisign")) {
      return (fs::path(directory) / "minisign").string();
    }
  }
  FAIL("minisign is not in PATH and RB_MINISIGN is not set: install the package minisign");
  return {};
}

struct Bench {
  test::TemporaryDirectory directory;
  std::string program = find_minisign();

  [[nodiscard]] std::string file(const std::string& name) const { return directory.file(name); }

  [[nodiscard]] ProcessResult run(std::vector<std::string> args) const {
    ProcessSpec spec;
    spec.program = program;
    spec.arguments = std::move(args);
    spec.timeout = std::chrono::seconds(60);
    RealProcessRunner processes;
    return processes.run(spec, {}).value();
  }

  [[nodiscard]] ProcessResult verify(const std::string& name) const {
    return run({"-Vm", file(name), "-p", file("host.pub")});
  }
};

} // namespace

TEST_CASE("stock minisign takes our signature, and shows our comment") {
  const Bench bench;
  const SigningKey key = SigningKey::generate().value();
  for (const std::size_t size : {0U, 1U, 63U, 64U, 65U, 100000U}) {
    CAPTURE(size);
    const std::string message(size, 'm');
    test::write_file(bench.file("m.json"), message);
    test::write_file(bench.file("host.pub"), key.public_key().file());
    test::write_file(bench.file("m.json.minisig"),
                     serialize(key.sign(as_bytes(message), "railiance-backup run=7").value()));
    const ProcessResult result = bench.verify("m.json");
    CHECK_MESSAGE(result.exit_status == 0, result.err);
    CHECK(result.out.find("Trusted comment: railiance-backup run=7") != std::string::npos);
    CHECK(bench.run({"-Vm", bench.file("m.json"), "-P", key.public_key().line()}).exit_status == 0);
  }
}

TEST_CASE("stock minisign refuses what we refuse") {
  const Bench bench;
  const SigningKey key = SigningKey::generate().value();
  const std::string signature = serialize(key.sign(as_bytes("message"), "a comment").value());
  test::write_file(bench.file("host.pub"), key.public_key().file());
  test::write_file(bench.file("m.json.minisig"), signature);
  test::write_file(bench.file("m.json"), "massage");
  CHECK(bench.verify("m.json").exit_status != 0);

  test::write_file(bench.file("m.json"), "message");
  CHECK(bench.verify("m.json").exit_status == 0);
  std::string other_comment = signature;
  other_comment.replace(other_comment.find("a comment"), 9, "b comment");
  test::write_file(bench.file("m.json.minisig"), other_comment);
  CHECK(bench.verify("m.json").exit_status != 0);
  CHECK_FALSE(verifies(
      parse_signature(other_comment).value(), blake2b_512(as_bytes("message")), key.public_key()));
}

TEST_CASE("we take what stock minisign signed") {
  const Bench bench;
  const ProcessResult made =
      bench.run({"-G", "-W", "-p", bench.file("its.pub"), "-s", bench.file("its.key")});
  REQUIRE_MESSAGE(made.exit_status == 0, made.err);
  const PublicKey key = PublicKey::parse(test::read_file(bench.file("its.pub"))).value();
  std::string ours = key.file();
  const std::size_t id = ours.find("key ") + 4;
  ours.erase(id, ours.find_first_not_of('0', id) - id); // minisign writes it as a number
  CHECK(test::read_file(bench.file("its.pub")) == ours);
  for (const std::size_t size : {0U, 1U, 4096U}) {
    CAPTURE(size);
    const std::string message(size, 'n');
    test::write_file(bench.file("n"), message);
    const ProcessResult signed_by_it =
        bench.run({"-Sm", bench.file("n"), "-s", bench.file("its.key"), "-t", "its own comment"});
    REQUIRE_MESSAGE(signed_by_it.exit_status == 0, signed_by_it.err);
    const auto signature = parse_signature(test::read_file(bench.file("n.minisig")));
    REQUIRE(signature);
    CHECK(signature->trusted_comment == "its own comment");
    CHECK(signature->key_id == key.id());
    CHECK(verifies(*signature, blake2b_512(as_bytes(message)), key));
    CHECK_FALSE(verifies(*signature, blake2b_512(as_bytes(message + "!")), key));
  }
}
