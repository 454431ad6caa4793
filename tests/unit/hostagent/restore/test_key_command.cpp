#include "restore/secret_input.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace rb;
using namespace std::chrono_literals;
using restore::run_key_command;
using restore::split_command;
using Words = std::vector<std::string>;

namespace {

Result<SecretBytes>
run(Words words, std::chrono::milliseconds limit = 10s, std::stop_token stop = {}) {
  return run_key_command(std::move(words), {"PATH=/usr/bin:/bin", "NAME=value"}, stop, limit);
}

/// In single quotes, which take everything but themselves.
std::string in_quotes(const std::string& word) {
  std::string text = "'";
  for (const char c : word) {
    text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return text + "'";
}

} // namespace

TEST_CASE("split_command: words as SOPS splits them") {
  CHECK(split_command("pass show age").value() == Words{"pass", "show", "age"});
  CHECK(split_command("  a\t\r\n b  ").value() == Words{"a", "b"});
  CHECK(split_command(R"(a 'b "c\ d' "e 'f" g\ h)").value() ==
        Words{"a", R"(b "c\ d)", "e 'f", "g h"});
  CHECK(split_command(R"("a\"b\\c\d" '')").value() == Words{R"(a"b\cd)", ""});
  CHECK(split_command("a'b c'd\"e\"").value() == Words{"ab cde"});
  CHECK(split_command("a#b # a comment\nc").value() == Words{"a#b", "c"});
  CHECK(split_command("echo $HOME | tr a b; `x`").value() ==
        Words{"echo", "$HOME", "|", "tr", "a", "b;", "`x`"});
}

TEST_CASE("split_command: what does not end is refused, and not repeated") {
  for (const char* text :
       {"", "  ", "# only", "a 'secret", "a \"secret", "a secret\\", "a \"secret\\"}) {
    const auto words = split_command(text);
    REQUIRE_FALSE(words);
    CHECK(words.error().code == ErrorCode::invalid_argument);
    CHECK(words.error().message.find("secret") == std::string::npos);
  }
}

TEST_CASE("split_command: any words that are quoted come back") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  constexpr std::string_view k_letters = "ab \t\n'\"\\#$|";
  for (int i = 0; i < 2000; ++i) {
    Words words(1 + random() % 4);
    std::string text;
    for (std::string& word : words) {
      for (auto left = random() % 6; left > 0; --left) {
        word += k_letters[random() % k_letters.size()];
      }
      text += in_quotes(word) + " ";
    }
    REQUIRE(split_command(text).value() == words);
  }
}

TEST_CASE("run_key_command: the output of a program that is found in PATH, without a shell") {
  CHECK(run({"printf", "%s", "$HOME;`x`"}).value().text() == "$HOME;`x`");
  CHECK(run({"/bin/cat"}).value().empty()); // nothing to read
  CHECK(run({"sh", "-c", "echo $NAME"}).value().text() == "value\n");
  const std::string large(300000, 'x');
  CHECK(run({"sh", "-c", "i=0; while [ $i -lt 3000 ]; do printf %0100d 0; i=$((i+1)); done"})
            .value()
            .size() == large.size());
}

TEST_CASE("run_key_command: a program that fails is named, its output is not") {
  const auto failed = run({"sh", "-c", "echo AGE-SECRET-KEY-1; exit 7"});
  REQUIRE_FALSE(failed);
  CHECK(failed.error().message == "sh: ended with exit status 7");
  CHECK(run({"sh", "-c", "kill -9 $$"}).error().message == "sh: ended with signal 9");
  const auto missing = run({"no-such-program"});
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == ErrorCode::not_found);
  CHECK(missing.error().message.starts_with("no-such-program: cannot be started"));
}

TEST_CASE("run_key_command: one that does not end, or prints without end, is ended") {
  CHECK(run({"sleep", "60"}, 100ms).error().code == ErrorCode::timeout);
  CHECK(run({"yes"}).error().code == ErrorCode::unsupported);
  std::stop_source stop;
  stop.request_stop();
  CHECK(run({"sleep", "60"}, 10s, stop.get_token()).error().code == ErrorCode::cancelled);
}
