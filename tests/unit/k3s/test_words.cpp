// The words are those that real servers of release 1.34 were seen to say.
#include "k3s/words.hpp"

#include <doctest/doctest.h>

using namespace rb::k3s;

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
  CHECK(last_words(std::string(299, 'a') + "äöü" + std::string(1000, 'b')) ==
        std::string(299, 'a') + "…");
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
