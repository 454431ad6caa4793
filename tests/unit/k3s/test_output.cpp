// The words are those that real servers of release 1.34 were seen to say.
#include "k3s/output.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::k3s;

using Names = std::vector<std::string>;

namespace {

const std::string k_flags =
    "time=\"2026-11-22T11:52:16Z\" level=warning msg=\"Unknown flag --kubelet-arg found in "
    "config.yaml, skipping\\n\"\n"
    "time=\"2026-11-22T11:52:16Z\" level=warning msg=\"Unknown flag --cluster-cidr found in "
    "config.yaml, skipping\\n\"\n";
const std::string k_proxy =
    "time=\"2026-11-22T11:52:19Z\" level=error msg=\"Remotedialer proxy error; reconnecting...\" "
    "error=\"dial tcp 127.0.0.1:6443: connect: connection refused\" "
    "url=\"wss://127.0.0.1:6443/v1\"\n";
const std::string k_end =
    "time=\"2026-11-22T11:52:20Z\" level=error msg=\"Shutdown request received: "
    "\\\"etcd cluster join failed\\\"\"\n";

} // namespace

TEST_CASE("the reason stands behind the warnings about flags, and is never one of them") {
  CHECK(last_words(k_flags + "Error: see server log for details: not authorized\n") ==
        "Error: see server log for details: not authorized");
  CHECK(last_words("level=fatal msg=\"Error: see server log for details: etcd \\\"is\\\" off\"\n" +
                   k_flags) == "Error: see server log for details: etcd \"is\" off");
  CHECK(last_words(k_flags).empty());
  CHECK(last_words("first\nlast\n" + k_flags) == "last");
}

TEST_CASE("what a server repeats while it starts is no reason") {
  CHECK(last_words(k_proxy + k_proxy).empty());
  CHECK(last_words("level=error msg=\"the disk is gone\"\n" + k_proxy) == "the disk is gone");
}

TEST_CASE("a shutdown request is the end of a server, whatever errors it draws after it") {
  CHECK(last_words(k_proxy + k_end + "level=error msg=\"context canceled\"\n" + k_proxy) ==
        "Shutdown request received: \"etcd cluster join failed\"");
  CHECK(last_words("level=fatal msg=\"first\"\n" + k_end) ==
        "Shutdown request received: \"etcd cluster join failed\"");
}

TEST_CASE("fatal goes before error, error before a line without a level; less is nothing") {
  CHECK(last_words("level=error msg=\"one\"\nlevel=fatal msg=\"two\"\nlevel=error msg=\"three\"") ==
        "two");
  CHECK(last_words("FATA[0002] failed to get CA certs: starting \n") ==
        "failed to get CA certs: starting");
  CHECK(last_words("usage\nERRO[0001] bad\nINFO[0002] bye\n") == "bad");
  CHECK(last_words("level=info msg=\"fine\"").empty());
  CHECK(last_words("level=warning msg=careful").empty());
  CHECK(last_words("level=fatal msg=short").starts_with("short"));
  CHECK(last_words("").empty());
  CHECK(last_words("level=info msg=starting\n2026/11/22 11:52:19 http: TLS handshake error: EOF\n")
            .empty());
}

TEST_CASE("klog's and zap's lines are told apart") {
  CHECK(last_words("E1122 11:52:16.123456    1 reflector.go:1] \"Unhandled Error\"\n").empty());
  CHECK(last_words("F1122 11:52:16.123456    1 main.go:1] no\n").find("no") != std::string::npos);
  CHECK(last_words(R"({"level":"warn","msg":"slow"})").empty());
  CHECK(last_words(R"({"level":"fatal","msg":"discovery failed"})") == "discovery failed");
  CHECK(last_words("{\"level\":7}") == "{\"level\":7}");
}

TEST_CASE("words are bounded, harmless on a terminal, and keep whole characters") {
  CHECK(last_words(std::string(99, 'a') + "äöü" + std::string(1000, 'b')) ==
        std::string(99, 'a') + "…" + std::string(200, 'b'));
  CHECK(last_words("bell\x07 and\x1b[31m colour \xe2\x80\xae\n") == "bell? and?[31m colour ?");
}

TEST_CASE("tokens, passwords and keys never pass") {
  const std::string token = "K10abcdef0123::server:5ecret";
  CHECK(last_words("level=fatal msg=\"token " + token + " refused\"") == "token [removed] refused");
  CHECK(without_secrets("\"" + token + "\"") == "\"[removed]\"");
  CHECK(without_secrets(token + " " + token) == "[removed] [removed]");
  CHECK(without_secrets("dial https://user:pw@host:6443/x failed") ==
        "dial https://[removed]@host:6443/x failed");
  CHECK(without_secrets("https://host:6443/a@b") == "https://host:6443/a@b");
  CHECK(without_secrets("K10 is a name") == "K10 is a name");
  CHECK(without_secrets("with AGE-SECRET-KEY-1ABC.") == "with [removed]");
}

TEST_CASE("of a log that holds several starts, the last one counts") {
  const std::string log = "level=info msg=\"Starting k3s v1 (a)\"\nlevel=fatal msg=\"of before\"\n"
                          "level=info msg=\"Starting k3s v1 (a)\"\nlevel=error msg=\"of now\"\n";
  CHECK(last_words(since_last_start(log)) == "of now");
  CHECK(since_last_start("no start\n") == "no start\n");
  CHECK(since_last_start("").empty());
}

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

TEST_CASE("long words keep their end: what is the matter stands behind the files that it is with") {
  std::string files;
  for (int i = 0; i < 13; ++i) {
    files += (i == 0 ? "" : ", ") + std::string("/var/lib/rancher/k3s/server/tls/é-ca.key");
  }
  const std::string matter = " newer than datastore and could cause a cluster outage. Remove the "
                             "file(s) from disk and restart to be recreated from datastore.";
  const std::string words = last_words("level=fatal msg=\"" + files + matter + "\"\n");
  CHECK(words.starts_with("/var/lib/rancher/k3s/server/tls/"));
  CHECK(words.ends_with(matter));
  CHECK(words.size() <= k_words_limit_bytes + std::string_view("…").size());
  for (std::size_t cut = 0; cut < 4; ++cut) { // never within a character
    const std::string some =
        last_words("level=fatal msg=\"" + std::string(cut, 'x') + files + "\"\n");
    CHECK(some.find("\xa9\xa9") == std::string::npos);
    CHECK(some.find("\xc3…") == std::string::npos);
    CHECK(some.find("…\xa9") == std::string::npos);
  }
}
