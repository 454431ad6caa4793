// The completion scripts against the command line that they complete.
#include "cli/commands.hpp"

#include <doctest/doctest.h>

using namespace rb::cli;

namespace {

/// What may stand behind `args`, without what it is for.
std::vector<std::string> words(const std::vector<std::string>& args) {
  std::vector<std::string> found;
  for (const std::string& word : plugin_words(args)) {
    found.push_back(word.substr(0, word.find('\t')));
  }
  return found;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("the script of every shell knows all commands and their flags") {
  for (const std::string& command : words({""})) {
    if (command == "backup") {
      continue; // the plugin's
    }
    CAPTURE(command);
    CHECK(has(completion_script("bash"), command));
    CHECK(has(completion_script("zsh"), "'" + command + "["));
    CHECK(has(completion_script("fish"), "-n __fish_use_subcommand -a " + command + " "));
    for (const std::string& flag : words({command, "--"})) {
      if (flag == "--help" || flag == "--version") {
        continue;
      }
      CAPTURE(flag);
      CHECK(has(completion_script("bash"), flag));
      CHECK(has(completion_script("zsh"), flag));
      CHECK(has(completion_script("fish"), " -l " + flag.substr(2) + " "));
    }
  }
}

TEST_CASE("zsh's script completes also where it is a file that zsh loads at the first word") {
  const std::string script = completion_script("zsh");
  CHECK(script.starts_with("#compdef railiance-backup\n"));
  CHECK(has(script, "$funcstack[1] == _railiance-backup"));
}
