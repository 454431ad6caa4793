// Our reading of snapshots against `etcdutl snapshot status`, on files that the real bbolt wrote.
#include "datastore/etcd/snapshot.hpp"

#include "base/fd.hpp"
#include "base/process.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <string>

using namespace rb;
using namespace rb::etcd;

namespace {

class TemporaryDirectory {
public:
  TemporaryDirectory() {
    char name[] = "/tmp/etcdsnap-conformance-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    m_path = name;
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(m_path); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  TemporaryDirectory(TemporaryDirectory&&) = delete;
  TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;

  [[nodiscard]] std::string file(const std::string& name) const { return m_path + "/" + name; }

private:
  std::string m_path;
};

ProcessResult run(const std::string& program, std::vector<std::string> arguments) {
  RealProcessRunner runner;
  ProcessSpec spec{program,
                   std::move(arguments),
                   {{"PATH", "/usr/bin:/bin"}, {"HOME", "/tmp"}},
                   std::chrono::seconds(120)};
  auto result = runner.run(spec, {});
  INFO(program, " must be there: tests/tools/install.sh and the generator's build make it");
  REQUIRE(result);
  return *result;
}

nlohmann::json oracle(const std::string& path) {
  const ProcessResult result = run(RB_ETCDUTL, {"snapshot", "status", path, "--write-out=json"});
  INFO(result.err);
  REQUIRE(result.exit_status == 0);
  return nlohmann::json::parse(result.out);
}

datastore::CopyFacts ours(const std::string& path, const InspectLimits& limits = {}) {
  auto fd = open_file(path, O_RDONLY);
  REQUIRE(fd);
  auto reader = FileReader::open(std::move(*fd), path);
  REQUIRE(reader);
  auto info = inspect(**reader, limits);
  INFO((info ? std::string() : info.error().message));
  REQUIRE(info);
  return *info;
}

void check_trailer(const std::string& path) {
  auto fd = open_file(path, O_RDONLY);
  REQUIRE(fd);
  TrailerCheck check;
  Bytes buffer(100'000);
  for (;;) {
    auto got = read_up_to(*fd, buffer, path);
    REQUIRE(got);
    check.update(ByteView(buffer).first(*got));
    if (*got < buffer.size()) {
      break;
    }
  }
  CHECK(check.finish());
}

} // namespace

TEST_CASE("inspect says what etcdutl snapshot status says") {
  const TemporaryDirectory directory;
  for (const std::string profile :
       {"empty", "tiny", "small", "compact", "freelist", "overflow", "large"}) {
    for (const std::string seed : {"1", "2"}) {
      if (seed == "2" && (profile == "large" || profile == "overflow")) {
        continue;
      }
      CAPTURE(profile);
      CAPTURE(seed);
      const std::string path = directory.file(profile + seed);
      const ProcessResult made = run(RB_MKSNAP, {profile, seed, path});
      INFO(made.err);
      REQUIRE(made.exit_status == 0);
      const nlohmann::json expected = oracle(path);
      const datastore::CopyFacts info = ours(path);
      CHECK(info.hash == expected.at("hash").get<std::uint32_t>());
      CHECK(info.revision == expected.at("revision").get<std::int64_t>());
      CHECK(info.total_keys == expected.at("totalKey").get<std::uint64_t>());
      CHECK(info.storage_version == expected.at("version").get<std::string>());
      check_trailer(path);

      // The same numbers when the keys do not fit into the memory that is given.
      InspectLimits tight;
      tight.live_keys = 64;
      if (profile != "large" && profile != "empty") {
        const datastore::CopyFacts in_parts = ours(path, tight);
        CHECK(in_parts.total_keys == info.total_keys);
        CHECK(in_parts.objects == info.objects);
        CHECK(in_parts.bootstrap_hashes == info.bootstrap_hashes);
      }
    }
  }
}
