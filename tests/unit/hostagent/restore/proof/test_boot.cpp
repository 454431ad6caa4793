// Holds: a scratch server is proven only when it comes up and serves the snapshot, and whatever
// goes wrong ends everything that was started and says why.
#include "fakes.hpp"
#include "restore/proof/boot.hpp"
#include "support/bolt_builder.hpp"
#include "support/temporary_directory.hpp"

#include "api/reason.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

namespace {

using namespace rb;
using namespace rb::proof;
using namespace rb::objects;
using namespace rb::test;

const std::string k_token = "K10" + std::string(64, 'a') + "::server:password-of-the-test";

struct Bench {
  Bench() {
    const Bytes snapshot = with_trailer(
        make_bolt(etcd_buckets({{revision_key(2, 0), key_value("/registry/configmaps/ns/a", "{}")},
                                {revision_key(3, 0), key_value("/registry/minions/node", "{}")}})));
    write_file(directory.file("snapshot"), as_text(snapshot));
    input.k3s = "/usr/local/bin/k3s";
    input.directory = directory.path();
    input.snapshot_path = directory.file("snapshot");
    input.token = k_token;
    cage.memory = 300U << 20U;
    cage.on_run = [this] {
      write_file(kubeconfig(), "of the reset");
      return FakeCage::reset_done();
    };
    cage.on_start = [this](const ProcessSpec& spec, const std::string& log_path) {
      if (spec.arguments.front() == "server") {
        left_by_the_reset = std::filesystem::exists(kubeconfig());
        write_file(log_path, log);
      } else {
        proxied = read_file(kubeconfig());
        write_file(log_path, proxy_log);
      }
      return Status();
    };
    cage.on_kubectl = [this](const ProcessSpec&) { return kubectl(); };
    serve_discovery(api, false);
    api.on("/readyz", "ok");
    const std::string exact = "?limit=500&resourceVersion=3&resourceVersionMatch=Exact";
    api.on("/api/v1/configmaps" + exact, metadata_list({{"ns", "a", "", "2"}}));
    api.on("/api/v1/nodes" + exact, metadata_list({{"", "node", "", "3"}}));
    api.on("/apis/apps/v1/deployments" + exact, metadata_list({}));
  }

  [[nodiscard]] std::string kubeconfig() const { return directory.file("kubeconfig"); }

  /// As on k3s: the server writes the file anew some moments after its start, and not in one step;
  /// whoever trusts another CA is refused.
  ProcessResult kubectl() {
    const std::size_t asked = cage.asked.size();
    if (asked == 2 && writes_kubeconfig) {
      write_file(kubeconfig(), "of the sta");
    } else if (asked == 3 && writes_kubeconfig) {
      write_file(kubeconfig(), "of the start");
    }
    if (!std::filesystem::exists(kubeconfig())) {
      return {
          1, 0, false, false, "", "error: stat " + kubeconfig() + ": no such file or directory\n"};
    }
    if (read_file(kubeconfig()) != "of the start") {
      return {1, 0, false, false, "", "tls: x509: certificate signed by unknown authority\n"};
    }
    return asked < 5 ? ProcessResult{1, 0, false, false, "", "starting\n"}
                     : ProcessResult{0, 0, false, false, "ok", ""};
  }

  Result<BootReport> run(std::stop_token stop = {}) {
    // The cage must see the API that the test has set up.
    class Forward final : public ApiPort {
    public:
      Forward(FakeApi& to, const bool& gone) : m_to(&to), m_gone(&gone) {}
      Result<ApiAnswer> get(const std::string& path, const std::string& accept) override {
        if (*m_gone) {
          return Error{ErrorCode::unavailable, "nobody listens", {}};
        }
        return m_to->get(path, accept);
      }

    private:
      FakeApi* m_to;
      const bool* m_gone;
    };
    return proof::boot(input,
                       {cage,
                        time,
                        time,
                        [this](const std::string&) { return std::make_unique<Forward>(api, gone); },
                        [this] { return memory; },
                        [this](const std::string& line) { lines.push_back(line); }},
                       stop);
  }

  /// The error of a run that must fail, and must leave nothing running.
  Error failure() {
    auto result = run();
    REQUIRE_FALSE(result.has_value());
    CHECK_FALSE(cage.is_open);
    CHECK(result.error().message.find("password-of-the-test") == std::string::npos);
    return result.error();
  }

  TemporaryDirectory directory;
  BootInput input;
  FakeCage cage;
  FakeTime time;
  FakeApi api;
  std::string log;
  std::string proxy_log = "Starting to serve on api.sock\n";
  std::string proxied;            ///< The kubeconfig that the proxy was started with.
  bool left_by_the_reset = false; ///< Its kubeconfig was there when the server started.
  bool writes_kubeconfig = true;  ///< The server.
  std::uint64_t memory = std::uint64_t{4} << 30U;
  bool gone = false; ///< Nobody listens on the socket.
  std::vector<std::string> lines;
};

ProcessResult failed_reset(const std::string& words) {
  ProcessResult result;
  result.exit_status = 1;
  result.err = "level=fatal msg=\"Error: " + words + "\"\n";
  return result;
}

TEST_CASE("a server that serves the snapshot is proven") {
  Bench bench;
  bench.input.revision = 3;
  bench.input.objects = {{"configmaps", 1}, {"minions", 1}};
  const auto report = bench.run();
  REQUIRE(report.has_value());
  CHECK(report->comparison.objects == 2);
  CHECK(report->revision == 3);
  CHECK(report->peak_memory_bytes == 300U << 20U);
  CHECK(bench.cage.closed);
  CHECK(bench.lines.size() == 4);
  REQUIRE(bench.cage.started.size() == 2);
  CHECK(bench.cage.started[0].arguments.front() == "server");
  CHECK(bench.cage.started[1].arguments.front() == "kubectl");
}

TEST_CASE("the token is in the environment of k3s only") {
  Bench bench;
  REQUIRE(bench.run().has_value());
  REQUIRE(bench.cage.ran.size() == 1);
  CHECK(bench.cage.ran[0].environment.at("K3S_TOKEN") == k_token);
  CHECK(bench.cage.started[0].environment.at("K3S_TOKEN") == k_token);
  CHECK(bench.cage.started[1].environment.count("K3S_TOKEN") == 0);
  for (const ProcessSpec& spec :
       {bench.cage.ran[0], bench.cage.started[0], bench.cage.started[1]}) {
    for (const std::string& argument : spec.arguments) {
      CHECK(argument.find("password") == std::string::npos);
    }
  }
}

TEST_CASE("a snapshot of another set is not booted") {
  Bench bench;
  SUBCASE("another revision") {
    bench.input.revision = 4;
    CHECK(bench.failure().message == "the snapshot is of revision 3, the manifest says 4");
  }
  SUBCASE("other objects") {
    bench.input.objects = {{"configmaps", 2}};
    CHECK(bench.failure().message ==
          "the snapshot holds other numbers of objects than its manifest says");
  }
  CHECK(bench.cage.ran.empty());
}

TEST_CASE("no server is started where it could cost the running one its memory") {
  Bench bench;
  bench.memory = std::uint64_t{300} << 20U;
  const Error error = bench.failure();
  CHECK(error.code == ErrorCode::unavailable);
  CHECK(error.message == "too little memory for a scratch server: 300 MiB available, 800 needed");
  CHECK(error.reason == api::Reason::proof_unavailable); // of this host, not of the set
  CHECK(bench.cage.ran.empty());
}

TEST_CASE("namespaces that can't be made") {
  Bench bench;
  bench.cage.opens_with = Error{ErrorCode::permission_denied, "namespaces: not permitted", {}};
  CHECK(bench.failure().code == ErrorCode::permission_denied);
  CHECK(bench.cage.closed);
}

TEST_CASE("a reset that fails says what k3s says") {
  Bench bench;
  SUBCASE("another token") {
    bench.cage.on_run = [] {
      return failed_reset("bootstrap data already found and encrypted with different token");
    };
    const Error error = bench.failure();
    CHECK(error.code == ErrorCode::invalid_argument);
    CHECK(error.message.find("encrypted with different token") != std::string::npos);
  }
  SUBCASE("a reset that does not end") {
    bench.cage.on_run = [] {
      ProcessResult result;
      result.timed_out = true;
      return result;
    };
    CHECK(bench.failure().code == ErrorCode::timeout);
  }
  SUBCASE("a reset that ends without its last word") {
    bench.cage.on_run = [] {
      ProcessResult result;
      result.exit_status = 0;
      return result;
    };
    CHECK(bench.failure().code == ErrorCode::io);
  }
  CHECK(bench.cage.started.empty());
}

TEST_CASE("a server that ends is no proof, and its last words are told") {
  Bench bench;
  bench.log = "level=fatal msg=\"Error: starting kubernetes: bad luck\"\n"
              "level=error msg=\"Remotedialer proxy error; reconnecting...\"\n";
  bench.cage.alive_with =
      Error{ErrorCode::unavailable, "/usr/local/bin/k3s server: ended with exit status 1", {}};
  const Error error = bench.failure();
  CHECK(error.code == ErrorCode::unavailable);
  CHECK(error.message == "the scratch server: /usr/local/bin/k3s server: ended with exit status 1"
                         "; k3s says: Error: starting kubernetes: bad luck");
}

TEST_CASE("the end of a scratch server is told by its own words, not by the noise around them") {
  Bench bench;
  bench.log = "level=error msg=\"Shutdown request received: \\\"no quorum\\\"\"\n"
              "level=error msg=\"Remotedialer proxy error; reconnecting...\" error=\"dial tcp "
              "127.0.0.1:6443: connect: connection refused\"\n";
  bench.cage.alive_with = Error{ErrorCode::unavailable, "k3s server: ended", {}};
  CHECK(
      bench.failure().message ==
      "the scratch server: k3s server: ended; k3s says: Shutdown request received: \"no quorum\"");
}

TEST_CASE("a server that never gets ready is given up") {
  Bench bench;
  bench.writes_kubeconfig = false;
  bench.log = "level=error msg=\"Remotedialer proxy error; reconnecting...\" error=\"refused\"\n";
  bench.input.ready_timeout = std::chrono::seconds(20);
  const Error error = bench.failure();
  CHECK(error.code == ErrorCode::timeout);
  CHECK(error.message == "the scratch server: the API is not ready after 20 s: error: stat " +
                             bench.kubeconfig() + ": no such file or directory");
}

TEST_CASE("what the reset leaves is not believed: it trusts a CA made for the occasion") {
  Bench bench;
  const auto report = bench.run();
  REQUIRE_MESSAGE(report.has_value(), report.error().message);
  CHECK_FALSE(bench.left_by_the_reset);
  CHECK(bench.proxied == "of the start");
  CHECK(bench.cage.asked.size() ==
        5); // half a file, and a server that is not ready, are waited for
}

TEST_CASE("a way into the API that does not open says why, in the proxy's own words") {
  Bench bench;
  SUBCASE("it answers itself") {
    bench.api.answers["/readyz"] = {{502, "x509: certificate signed by unknown authority\n"}};
    CHECK(bench.failure().message ==
          "the scratch server: kubectl proxy: does not answer: HTTP 502: x509: certificate signed "
          "by unknown authority");
  }
  SUBCASE("it ended") {
    bench.proxy_log = "error: no kubeconfig\n";
    bench.cage.on_start = [&, before = bench.cage.on_start](const ProcessSpec& spec,
                                                            const std::string& log_path) {
      Status started = before(spec, log_path);
      if (spec.arguments.front() == "kubectl") {
        bench.gone = true;
        bench.cage.alive_with = Error{ErrorCode::unavailable, "k3s kubectl: ended", {}};
      }
      return started;
    };
    CHECK(bench.failure().message ==
          "the scratch server: k3s kubectl: ended: error: no kubeconfig");
  }
}

TEST_CASE("a server that serves something else is an error that names the objects") {
  Bench bench;
  bench.api.answers["/api/v1/nodes?limit=500&resourceVersion=3&resourceVersionMatch=Exact"] = {
      {200, metadata_list({})}};
  const Error error = bench.failure();
  CHECK(error.code == ErrorCode::corrupt);
  CHECK(error.message ==
        "the booted server differs from the snapshot in 1 place: minions/node: missing");
}

TEST_CASE("told to stop, it ends what it started") {
  Bench bench;
  std::stop_source stop;
  bench.cage.on_run = [&] {
    stop.request_stop();
    return FakeCage::reset_done();
  };
  const auto result = bench.run(stop.get_token());
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().code == ErrorCode::cancelled);
  CHECK(bench.cage.closed);
  CHECK_FALSE(bench.cage.is_open);
}

TEST_CASE("a file that is no snapshot is never given to k3s") {
  Bench bench;
  write_file(bench.directory.file("snapshot"), std::string(20000, 'x'));
  CHECK(bench.failure().code == ErrorCode::corrupt);
  CHECK(bench.cage.ran.empty());
}

} // namespace
