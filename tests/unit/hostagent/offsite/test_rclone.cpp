#include "offsite/rclone.hpp"
#include "offsite/rclone_words.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <optional>

using namespace rb;
using namespace rb::offsite;

namespace {

class FakeRclone final : public ProcessRunner {
public:
  ProcessSpec seen;
  ProcessResult answer;
  std::optional<Error> cannot_start;
  std::size_t offered_bytes = 0; ///< To who takes output as it comes; 1000 at a time.
  std::size_t taken_bytes = 0;
  Result<ProcessResult> run(const ProcessSpec& spec, std::stop_token) override {
    seen = spec;
    const std::string piece(1000, 'x');
    while (spec.on_output && taken_bytes < offered_bytes && !answer.refused) {
      answer.refused = !spec.on_output(piece);
      taken_bytes += answer.refused ? 0 : piece.size();
    }
    return cannot_start ? Result<ProcessResult>(*cannot_start) : Result<ProcessResult>(answer);
  }
};

ProcessResult failed(std::string err, int status = 1) {
  ProcessResult result;
  result.exit_status = status;
  result.err = std::move(err);
  return result;
}

ProcessResult printed(std::string out) {
  ProcessResult result;
  result.exit_status = 0;
  result.out = std::move(out);
  return result;
}

RcloneSettings settings() {
  return {
      "/usr/bin/rclone", "nextcloud:backups/cluster", "/etc/x/rclone.conf", {}, "/ca.pem", "1M"};
}

bool has(const std::vector<std::string>& words, const std::string& word) {
  return std::ranges::find(words, word) != words.end();
}

} // namespace

TEST_CASE("a remote is a name of the configuration, a colon and a path") {
  for (const char* const good : {"nextcloud:backups/cluster", "s3:", "a-b_c.d:/x y/ü"}) {
    CAPTURE(good);
    CHECK(check_remote(good));
  }
  for (const char* const bad : {"",
                                "nextcloud",
                                ":webdav,pass=x:p",
                                ":p",
                                "n,pass=x:p",
                                "-v:p",
                                "/local:p",
                                "a:b\nc",
                                "a\"b:c"}) {
    CAPTURE(bad);
    REQUIRE_FALSE(check_remote(bad));
    CHECK(check_remote(bad).error().code == ErrorCode::invalid_argument);
    CHECK(check_remote(bad).error().message.find("pass=x") == std::string::npos);
  }
}

TEST_CASE("rclone is started with a clean environment, and the configuration as a file") {
  FakeRclone rclone;
  rclone.answer = printed("");
  RcloneStore store(rclone, settings());
  REQUIRE(store.put("/backups/a", {"a", 10}, {}));
  CHECK(rclone.seen.program == "/usr/bin/rclone");
  const std::vector<std::string> first(rclone.seen.arguments.begin(),
                                       rclone.seen.arguments.begin() + 4);
  CHECK(first == std::vector<std::string>{
                     "copyto", "--ignore-times", "/backups/a", "nextcloud:backups/cluster/a"});
  CHECK(has(rclone.seen.arguments, "--ask-password=false"));
  CHECK(has(rclone.seen.arguments, "--bwlimit=1M"));
  CHECK(rclone.seen.environment ==
        std::map<std::string, std::string>{{"HOME", "/nonexistent"},
                                           {"RCLONE_CONFIG", "/etc/x/rclone.conf"},
                                           {"SSL_CERT_FILE", "/ca.pem"}});
}

TEST_CASE("a large file is given more time than a small one") {
  FakeRclone rclone;
  rclone.answer = printed("");
  RcloneStore store(rclone, settings());
  REQUIRE(store.put("/a", {"a", 1}, {}));
  const auto small = rclone.seen.timeout;
  REQUIRE(store.put("/a", {"a", 1U << 30U}, {}));
  CHECK(rclone.seen.timeout > small + std::chrono::hours(10));
}

TEST_CASE("a server that works on a large file has as long for it as Nextcloud wants") {
  FakeRclone rclone;
  rclone.answer = printed("");
  RcloneStore store(rclone, settings());
  REQUIRE(store.put("/a", {"a", 1}, {}));
  CHECK(has(rclone.seen.arguments, "--timeout=5m"));
  // rclone gives up, and tries again, before it is given up itself.
  CHECK(has(rclone.seen.arguments, "--low-level-retries=2"));
  CHECK(rclone.seen.timeout > 2 * std::chrono::minutes(5) + std::chrono::minutes(1));
}

TEST_CASE("a listing holds plain names; a directory that is not there is empty") {
  FakeRclone rclone;
  RcloneStore store(rclone, settings());
  rclone.answer = printed(R"([{"Path":"a","Name":"a","Size":6,"IsDir":false},
    {"Name":"d","Size":-1,"IsDir":true},{"Name":"x/y","Size":1,"IsDir":false},
    {"Name":"b","Size":-1,"IsDir":false}])");
  const auto files = store.list({});
  REQUIRE(files);
  REQUIRE(files->size() == 2);
  CHECK((*files)[0].name == "a");
  CHECK((*files)[0].size_bytes == 6);
  CHECK((*files)[1].size_bytes == 0);
  rclone.answer = failed("2026/11/22 23:24:13 ERROR : : error listing: directory not found\n", 3);
  CHECK(store.list({}).value().empty());
  rclone.answer = printed("not json");
  CHECK(store.list({}).error().code == ErrorCode::corrupt);
}

TEST_CASE("who knows why a remote is not reached is asked when it is not, with what rclone said") {
  FakeRclone rclone;
  RcloneSettings with_hint = settings();
  std::string asked;
  with_hint.unreachable_hint = [&asked](std::string_view said) {
    asked = said;
    return "the policy";
  };
  RcloneStore store(rclone, with_hint);
  rclone.answer = failed("2026/11/22 23:24:13 ERROR : dial tcp 10.0.0.5:23: i/o timeout\n");
  CHECK(store.list({}).error().hint == "the policy");
  CHECK(asked == rclone.answer.err);
  asked.clear();
  rclone.answer = failed("401 Unauthorized\n");
  CHECK(store.list({}).error().hint != "the policy");
  CHECK(asked.empty());
}

TEST_CASE("rclone that is not there is no empty listing") {
  FakeRclone rclone;
  rclone.cannot_start = Error{ErrorCode::not_found, "/usr/bin/rclone: cannot be started", {}};
  RcloneStore store(rclone, settings());
  REQUIRE_FALSE(store.list({}));
  CHECK(store.list({}).error().hint.find("install rclone") != std::string::npos);
  CHECK(reason_of(store.list({}).error()) == api::Reason::remote_failed);
}

TEST_CASE("a file that comes is never larger than the manifest says") {
  const test::TemporaryDirectory temporary;
  const std::string path = temporary.file("etcd.part");
  FakeRclone rclone;
  rclone.answer = printed("");
  RcloneStore store(rclone, settings());
  SUBCASE("as large as it should be") {
    rclone.offered_bytes = 5000;
    CHECK(store.get({"etcd", 5000}, path, {}));
    CHECK(test::read_file(path) == std::string(5000, 'x'));
    CHECK(test::mode_of(path) == "600");
    const std::vector<std::string> first(rclone.seen.arguments.begin(),
                                         rclone.seen.arguments.begin() + 2);
    CHECK(first == std::vector<std::string>{"cat", "nextcloud:backups/cluster/etcd"});
  }
  SUBCASE("the other side goes on for ever") {
    rclone.offered_bytes = 1'000'000'000;
    const auto got = store.get({"etcd", 4500}, path, {});
    REQUIRE_FALSE(got);
    CHECK(got.error().code == ErrorCode::corrupt);
    CHECK(got.error().message.find("sends more than the 4500 bytes") != std::string::npos);
    CHECK(rclone.taken_bytes == 4000);
    CHECK(test::read_file(path).size() == 4000);
  }
  SUBCASE("something is there already, or a link") {
    test::write_file(temporary.file("victim"), "mine");
    std::filesystem::create_symlink(temporary.file("victim"), path);
    CHECK_FALSE(store.get({"etcd", 5000}, path, {}));
    CHECK(test::read_file(temporary.file("victim")) == "mine");
  }
}

TEST_CASE("small files are asked for by their names, and bounded whatever sizes were listed") {
  const test::TemporaryDirectory temporary;
  FakeRclone rclone;
  rclone.answer = printed("");
  RcloneStore store(rclone, settings());
  const std::vector<RemoteFile> files{{"manifest-x.json", 1}, {"manifest-y.json", 1}};
  REQUIRE(store.get_small(files, temporary.path(), {}));
  const std::string names = temporary.file(".names");
  CHECK(has(rclone.seen.arguments, "--files-from-raw=" + names));
  CHECK(test::read_file(names) == "manifest-x.json\nmanifest-y.json\n");
  std::filesystem::remove(names);
  REQUIRE(rclone.seen.go_on);
  CHECK(rclone.seen.go_on());
  test::write_file(temporary.file("manifest-x.json"), "");
  std::filesystem::resize_file(temporary.file("manifest-x.json"), 13U << 20U);
  CHECK_FALSE(rclone.seen.go_on());
  rclone.answer.refused = true;
  const auto got = store.get_small(files, temporary.path(), {});
  REQUIRE_FALSE(got);
  CHECK(got.error().code == ErrorCode::corrupt);

  // This disk is full, not the remote.
  std::filesystem::remove(names);
  rclone.answer = failed("Failed to copy: write /tmp/x: no space left on device\n");
  const auto full = store.get_small(files, temporary.path(), {});
  REQUIRE_FALSE(full);
  CHECK(reason_of(full.error()) == api::Reason::remote_failed);
  CHECK(full.error().hint.find("TMPDIR") != std::string::npos);
}

TEST_CASE("what another server has removed already is removed") {
  FakeRclone rclone;
  RcloneStore store(rclone, settings());
  rclone.answer = failed("2026/11/22 23:24:13 Failed to deletefile: object not found\n", 4);
  CHECK(store.remove("etcd", {}));
  rclone.answer = failed("Failed to deletefile: w:etcd is a directory or doesn't exist\n");
  CHECK(store.remove("etcd", {}));
}

TEST_CASE("who may list a remote, and no more, is not told to look at the password") {
  FakeRclone rclone;
  RcloneStore store(rclone, settings());
  rclone.answer = failed("Failed to copyto: operation error S3: CreateBucket, https response error "
                         "StatusCode: 403, api error AccessDenied: Access Denied\n");
  const Status not_written = store.put("/a", {"a", 1}, {});
  REQUIRE_FALSE(not_written);
  CHECK(reason_of(not_written.error()) == api::Reason::remote_denied);
  CHECK(not_written.error().hint.find("no_check_bucket") != std::string::npos);
  const auto not_read = store.sha256({"a", 1}, {});
  REQUIRE_FALSE(not_read);
  CHECK(not_read.error().hint.find("read back") != std::string::npos);
  const Status not_removed = store.remove("etcd", {});
  REQUIRE_FALSE(not_removed);
  CHECK(reason_of(not_removed.error()) == api::Reason::remote_denied);
  CHECK(not_removed.error().hint.find("offsite.keepLast=0") != std::string::npos);
  const auto not_listed = store.list({});
  REQUIRE_FALSE(not_listed);
  CHECK(not_listed.error().hint.find("password") != std::string::npos);
  rclone.answer = failed("connection refused\n");
  CHECK(store.remove("etcd", {}).error().hint.find("keepLast") == std::string::npos);
}
