// install and who reads the backups: what nobody names must not change it.
#include "fake_k3s.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

using namespace rb;
using namespace rb::test;

namespace {

constexpr const char* k_other = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string sops_yaml(const std::string& recipient) {
  return "creation_rules:\n  - age: " + recipient + "\n";
}

/// Where the command is typed.
class Standing {
public:
  explicit Standing(const std::string& directory) : m_before(std::filesystem::current_path()) {
    std::filesystem::create_directories(directory);
    std::filesystem::current_path(directory);
  }
  ~Standing() {
    std::error_code ignored;
    std::filesystem::current_path(m_before, ignored);
  }
  Standing(const Standing&) = delete;
  Standing& operator=(const Standing&) = delete;
  Standing(Standing&&) = delete;
  Standing& operator=(Standing&&) = delete;

private:
  std::filesystem::path m_before;
};

} // namespace

TEST_CASE("a newer package keeps the recipients, whatever .sops.yaml lies where it is brought in") {
  FakeK3s k3s;
  REQUIRE(k3s.install().code == 0);
  const std::string before = k3s.scratch.read(k_manifests);
  const Standing standing(k3s.scratch.path("elsewhere"));

  const Outcome none = k3s.command({"install"});
  CHECK(none.code == 0);
  CHECK(has(none.err, "as it was installed: .sops.yaml\n"));
  CHECK(has(none.err, k_recipient));
  CHECK_FALSE(has(none.err, "warning"));
  CHECK(k3s.scratch.read(k_manifests) == before);

  k3s.scratch.write("elsewhere/.sops.yaml", sops_yaml(k_other));
  const Outcome planted = k3s.command({"install"});
  CHECK(planted.code == 0);
  CHECK(has(planted.err, "is not the installed one, which stays: --sops .sops.yaml takes it"));
  CHECK(k3s.scratch.read(k_manifests) == before);

  CHECK(k3s.command({"install", "--sops", ".sops.yaml"}).code == 0);
  CHECK(has(k3s.scratch.read(k_manifests), k_other));
}

TEST_CASE("another server of the cluster takes the cluster's recipients") {
  FakeK3s k3s;
  REQUIRE(k3s.install().code == 0);
  const std::string first = k3s.scratch.read(k_manifests);
  std::filesystem::remove(k3s.scratch.path(k_manifests)); // as on a server that has none yet
  const Standing standing(k3s.scratch.path("elsewhere"));
  k3s.scratch.write("elsewhere/.sops.yaml", sops_yaml(k_other));
  const Outcome second = k3s.command({"install"});
  CHECK(second.code == 0);
  CHECK(has(second.err, "as it was installed: .sops.yaml\n"));
  CHECK(k3s.scratch.read(k_manifests) == first);
}

TEST_CASE(
    "the first time the .sops.yaml of the working directory is taken, if it is the operator's") {
  FakeK3s k3s;
  const Standing standing(k3s.scratch.path("elsewhere"));
  const Outcome none = k3s.command({"install"});
  CHECK(none.code != 0);
  CHECK(has(none.err, ".sops.yaml"));

  k3s.scratch.write("elsewhere/.sops.yaml", sops_yaml(k_other));
  if (::geteuid() == 0) { // else nobody can be played
    constexpr uid_t k_somebody = 4711;
    REQUIRE(::chown(".sops.yaml", k_somebody, k_somebody) == 0);
    const Outcome planted = k3s.command({"install"});
    CHECK(planted.code != 0);
    CHECK(has(planted.err, "belongs to another user (4711)"));
    CHECK(has(planted.err, "--sops .sops.yaml"));
    CHECK_FALSE(k3s.scratch.exists(k_manifests));
    ::setenv("SUDO_UID", "4711", 1); // it is his who typed sudo
  }
  CHECK(k3s.command({"install"}).code == 0);
  ::unsetenv("SUDO_UID");
  CHECK(has(k3s.scratch.read(k_manifests), k_other));
}
