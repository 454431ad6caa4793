#include "agent/k3s_output.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::agent;

using Names = std::vector<std::string>;

TEST_CASE("the saved line is read in every form that k3s has had") {
  CHECK(saved_names(
            "time=\"2026-11-22T11:52:16Z\" level=info msg=\"Snapshot railiance-x saved.\"\n") ==
        Names{"railiance-x"});
  CHECK(saved_names("INFO[0000] Snapshot on-demand-node1-1753178523 saved. \n") ==
        Names{"on-demand-node1-1753178523"});
  CHECK(saved_names("\x1b[36mINFO\x1b[0m[0000] Snapshot a-b-1 saved. \r\n") == Names{"a-b-1"});
  CHECK(
      saved_names(R"({"level":"info","ts":"…","logger":"client","msg":"created temporary db file"})"
                  "\n"
                  R"({"level":"info","msg":"saved","path":"/var/lib/x/snapshots/a-b-1"})") ==
      Names{"a-b-1"});
}

TEST_CASE("local and S3 give the same line twice: one snapshot") {
  CHECK(saved_names("msg=\"Snapshot a saved.\"\nmsg=\"Snapshot a saved.\"") == Names{"a"});
  CHECK(saved_names("msg=\"Snapshot a saved.\"\nmsg=\"Snapshot b saved.\"") == Names{"a", "b"});
}

TEST_CASE("a name never leads into another directory") {
  CHECK(saved_names("Snapshot ../../etc/x saved.") == Names{"x"});
  CHECK(saved_names("Snapshot / saved.").empty());
  CHECK(saved_names(R"({"msg":"saved","path":"/a/../"})").empty());
}

TEST_CASE("what only looks like the saved line is not one") {
  CHECK(saved_names("").empty());
  CHECK(saved_names("msg=\"Snapshot a deleted.\"").empty());
  CHECK(saved_names("msg=\"Snapshot lost-and-found is not ours\"").empty());
  CHECK(saved_names("msg=\"Snapshot  saved.\"").empty());
  CHECK(saved_names("Snapshot").empty());
  CHECK(saved_names(R"({"msg":"saved","path":7})").empty());
  CHECK(saved_names(R"({"msg":"saved")").empty());
}

TEST_CASE("the last words are those of stderr, and of stdout where it has none") {
  ProcessResult result;
  result.err = "level=warning msg=\"Unknown flag --a found in config.yaml, skipping\\n\"\n";
  CHECK(last_words(result).empty());
  result.out = "first\nlast\n";
  CHECK(last_words(result) == "last");
  result.err += "level=fatal msg=\"Error: see server log for details: not authorized\"\n";
  CHECK(last_words(result) == "Error: see server log for details: not authorized");
}
