// One encrypted file, and the keys that may open it.
#pragma once

#include "support/backup_fixture.hpp"
#include "support/passphrase_file.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace rb::test {

struct KeysFixture : BackupFixture {
  std::string in = file("in.age");
  std::string key = std::string(identity().text().text());
  std::string other = std::string(age::Identity::generate().value().text().text());

  KeysFixture() { test::write_file(in, encrypt("plain")); }

  Outcome decrypt(std::vector<std::string> options = {}) {
    options.insert(options.begin(), "decrypt");
    options.insert(options.end(), {"-o", "-", in});
    Outcome outcome = run(options);
    CHECK(outcome.err.find("AGE-SECRET-KEY-1Q") == std::string::npos);
    CHECK(outcome.err.find(key) == std::string::npos);
    return outcome;
  }

  /// A file with `text` that `passphrase` opens.
  std::string locked(const std::string& text, const std::string& passphrase) {
    test::write_file(file("locked.txt"), test::protect(text, passphrase));
    return file("locked.txt");
  }
};

inline bool has(const Outcome& outcome, const std::string& words) {
  return outcome.err.find(words) != std::string::npos;
}

} // namespace rb::test
