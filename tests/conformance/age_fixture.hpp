// The stock age program beside us: a directory with three X25519 identities of ours, two of them as
// files (keys.txt has the second, other.txt the third), and what age makes of files in it. RB_AGE
// names age, else PATH is searched.
#pragma once

#include "age/identity.hpp"
#include "base/fd.hpp"
#include "base/process.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

namespace rb::conformance {

using age::Identity;

inline std::filesystem::path find_age() {
  if (const char* given = std::getenv("RB_AGE"); given != nullptr && *given != '\0') {
    REQUIRE_MESSAGE(std::filesystem::exists(given),
                    "RB_AGE names " << given << ", which is not there");
    return given;
  }
  const char* path = std::getenv("PATH");
  std::istringstream directories(path == nullptr ? "" : path);
  for (std::string directory; std::getline(directories, directory, ':');) {
    if (std::filesystem::exists(std::filesystem::path(directory) / "age")) {
      return std::filesystem::path(directory) / "age";
    }
  }
  FAIL("age is not in PATH and RB_AGE is not set: install age (filippo.io/age/cmd/age)");
  return {};
}

class AgeFixture {
public:
  AgeFixture() : m_age(find_age()) {
    std::string name = (std::filesystem::temp_directory_path() / "age-interop-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    m_directory = name;
    for (int i = 0; i < 3; ++i) {
      m_identities.push_back(Identity::generate().value());
    }
    write("keys.txt", identity_text(1));
    write("other.txt", identity_text(2));
  }
  ~AgeFixture() { std::filesystem::remove_all(m_directory); }
  AgeFixture(const AgeFixture&) = delete;
  AgeFixture& operator=(const AgeFixture&) = delete;
  AgeFixture(AgeFixture&&) = delete;
  AgeFixture& operator=(AgeFixture&&) = delete;

  [[nodiscard]] std::string path(const std::string& name) const { return m_directory / name; }

  void write(const std::string& name, ByteView bytes) const {
    const auto fd = open_file(path(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    REQUIRE(fd);
    REQUIRE(write_all(*fd, bytes, name));
  }

  [[nodiscard]] Bytes read(const std::string& name) const {
    const auto bytes = read_secret_file(path(name), std::size_t{16} << 20U);
    REQUIRE(bytes);
    return {bytes->view().begin(), bytes->view().end()};
  }

  ProcessResult run(const std::string& program, std::vector<std::string> arguments) const {
    RealProcessRunner runner;
    ProcessSpec spec;
    spec.program = m_age.parent_path() / program;
    spec.arguments = std::move(arguments);
    spec.environment = {{"PATH", m_age.parent_path()}}; // where age looks for plugins
    auto result = runner.run(spec, {});
    REQUIRE_MESSAGE(result.has_value(), spec.program << " could not be started");
    return std::move(*result);
  }

  /// What stock age makes of `sealed` with a file of identities.
  [[nodiscard]] Bytes opened_by_age(ByteView sealed, const std::string& keys = "keys.txt") const {
    return opened_by_age_with(sealed, {"-i", path(keys)});
  }

  [[nodiscard]] Bytes opened_by_age_with(ByteView sealed, std::vector<std::string> options) const {
    write("sealed.age", sealed);
    options.insert(options.begin(), "-d");
    options.insert(options.end(), {"-o", path("opened"), path("sealed.age")});
    const auto result = run(m_age.filename(), std::move(options));
    CAPTURE(result.err);
    REQUIRE(result.exit_status == 0);
    return read("opened");
  }

  [[nodiscard]] Bytes sealed_by_age(ByteView plain, std::vector<std::string> options) const {
    write("plain", plain);
    for (const std::string& last : {std::string("-o"), path("theirs.age"), path("plain")}) {
      options.push_back(last);
    }
    const auto result = run(m_age.filename(), std::move(options));
    CAPTURE(result.err);
    REQUIRE(result.exit_status == 0);
    return read("theirs.age");
  }

  [[nodiscard]] std::string age_program() const { return m_age; }
  [[nodiscard]] std::string age_name() const { return m_age.filename(); }
  [[nodiscard]] const std::vector<Identity>& identities() const { return m_identities; }
  [[nodiscard]] std::string recipient(std::size_t i) const {
    return m_identities[i].recipient().text();
  }

private:
  [[nodiscard]] Bytes identity_text(std::size_t i) const {
    const SecretBytes text = m_identities[i].text();
    Bytes line(text.view().begin(), text.view().end());
    line.push_back('\n');
    return line;
  }

  std::filesystem::path m_age;
  std::filesystem::path m_directory;
  std::vector<Identity> m_identities;
};

} // namespace rb::conformance
