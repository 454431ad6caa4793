#include "offsite/rclone.hpp"
#include "offsite/rclone_ports.hpp"
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

TEST_CASE("rclone that is not there is no empty listing") {
  FakeRclone rclone;
  rclone.cannot_start = Error{ErrorCode::not_found, "/usr/bin/rclone: cannot be started", {}};
  RcloneStore store(rclone, settings());
  REQUIRE_FALSE(store.list({}));
  CHECK(store.list({}).error().hint.find("install rclone") != std::string::npos);
  CHECK(reason_of(store.list({}).error()) == api::Reason::remote_failed);
}

TEST_CASE("what authorizes within a URL is in no message") {
  const auto said = [](const std::string& words) {
    return rclone_failure(failed("2026/11/22 23:24:13 CRITICAL: " + words + "\n"), "azure:b")
        ->message;
  };
  const std::string sas =
      said("Failed to lsjson: Get \"https://acct.blob.core.windows.net/b?comp=list&restype="
           "container&se=2027-01-01&sig=S3CRET%2Fx%3D&sv=2021-08-06\": dial tcp: lookup "
           "acct.blob.core.windows.net: no such host");
  CHECK(sas.find("S3CRET") == std::string::npos);
  CHECK(sas.find("https://acct.blob.core.windows.net/b?...\": dial tcp") != std::string::npos);
  CHECK(sas.ends_with("no such host"));
  const std::string both = said("Put https://u:S3CRET@h/x?token=S3CRET then http://h/?k=S3CRET");
  CHECK(both.find("S3CRET") == std::string::npos);
  CHECK(both.ends_with("Put https://...@h/x?... then http://h/?..."));
  // A password that is not percent-encoded: Go says all of the URL, and a piece once more.
  for (const char* const words :
       {R"(parse "https://me:Z9/Q7@host.example/dav/": invalid port ":Z9" after host)",
        R"(parse "https://me:Z9Q7": invalid port ":Z9Q7" after host)",
        R"(parse "https://me:Z9%Q7@host.example/dav/": invalid URL escape "%Q7")",
        R"(parse "https://me:Z9?Q7@host.example/dav/": invalid port ":Z9" after host)"}) {
    CAPTURE(words);
    const std::string bad = said(words);
    CAPTURE(bad);
    CHECK(bad.find("Z9") == std::string::npos);
    CHECK(bad.find("Q7") == std::string::npos);
    CHECK(bad.find("invalid") != std::string::npos);
  }
  const std::string mail = R"(Propfind "https://cloud:8443/dav/files/me@example.org/x": EOF)";
  CHECK(said(mail).ends_with(mail));
  const std::string six = R"(Propfind "https://[fd00::1]/dav/me@example.org": EOF)";
  CHECK(said(six).ends_with(six));
  CHECK(said("is it there? see https://rclone.org/faq?").ends_with("see https://rclone.org/faq?"));
}

TEST_CASE("a digest is 64 hex digits before a space") {
  const std::string digest(64, 'a');
  CHECK(parse_sha256(digest + "  etcd\n").value() == digest);
  for (const std::string& bad : {std::string(),
                                 digest,
                                 std::string(63, 'a') + "  x",
                                 std::string(64, 'A') + "  x",
                                 std::string("ERROR  etcd")}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_sha256(bad));
  }
}

TEST_CASE("what rclone 1.60 says becomes an error that operators can act on") {
  struct Row {
    const char* words;
    api::Reason reason;
  };
  for (const Row& row :
       {Row{"read metadata failed: 401 Unauthorized", api::Reason::remote_denied},
        Row{"read metadata failed: Propfind \"http://h:1/\": dial tcp 127.0.0.1:1: connect: "
            "connection refused",
            api::Reason::remote_unreachable},
        Row{"dial tcp: lookup cloud.example.org: no such host", api::Reason::remote_unreachable},
        Row{"503 Service Unavailable", api::Reason::remote_unreachable},
        Row{"x509: certificate signed by unknown authority", api::Reason::remote_unreachable},
        Row{"NewFs: couldn't connect SSH: ssh: handshake failed: ssh: unable to authenticate, "
            "attempted methods [none password], no supported methods remain",
            api::Reason::remote_denied},
        Row{"operation error S3: ListObjectsV2, https response error StatusCode: 403, RequestID: "
            "X, HostID: , api error SignatureDoesNotMatch: The request signature we calculated "
            "does not match",
            api::Reason::remote_denied},
        Row{"operation error S3: ListObjectsV2, https response error StatusCode: 403, RequestID: "
            "X, HostID: , api error InvalidAccessKeyId: The Access Key Id you provided does not "
            "exist",
            api::Reason::remote_denied},
        Row{"NewFs: ftpConnection Login: 530 Login incorrect.", api::Reason::remote_denied},
        Row{"oauth2: \"invalid_grant\" \"Token has been expired or revoked.\"",
            api::Reason::remote_denied},
        Row{"googleapi: Error 403: Quota exceeded for quota metric 'Queries', rateLimitExceeded",
            api::Reason::remote_unreachable},
        Row{"googleapi: Error 403: The user's Drive storage quota has been exceeded., "
            "storageQuotaExceeded",
            api::Reason::remote_full},
        Row{"Insufficient Storage: 507 Insufficient Storage", api::Reason::remote_full},
        Row{"corrupted on transfer: sizes differ 5 vs 3", api::Reason::verification_failed},
        Row{"operation error S3: HeadObject, https response error StatusCode: 403, api error "
            "Forbidden: Forbidden",
            api::Reason::remote_denied},
        Row{"operation error S3: PutObject, https response error StatusCode: 503, api error "
            "SlowDown: Reduce your request rate",
            api::Reason::remote_unreachable},
        Row{"operation error S3: PutObject, https response error StatusCode: 403, api error "
            "RequestTimeTooSkewed: The difference is too large",
            api::Reason::remote_failed},
        Row{"failed to authenticate: Unknown 401 (401 bad_auth_token)", api::Reason::remote_denied},
        Row{"Cannot upload files, storage cap exceeded. (403 storage_cap_exceeded)",
            api::Reason::remote_full},
        Row{"didn't find section in config file", api::Reason::remote_failed},
        Row{"something new", api::Reason::remote_failed}}) {
    CAPTURE(row.words);
    const auto error = rclone_failure(
        failed(
            std::string("2026/11/22 23:24:13 ERROR : x\n2026/11/22 23:24:13 Failed to copyto: ") +
            row.words + "\n"),
        "nextcloud:a");
    REQUIRE(error);
    CHECK(error->message == std::string("nextcloud:a: rclone: Failed to copyto: ") + row.words);
    CHECK(reason_of(*error) == row.reason);
  }
  CHECK_FALSE(rclone_failure(printed(""), "x"));
}

TEST_CASE("a certificate of a CA that rclone does not know comes with the way out") {
  const auto error =
      rclone_failure(failed("Failed to lsjson: tls: failed to verify certificate: x509: "
                            "certificate signed by unknown authority\n"),
                     "nextcloud:a");
  REQUIRE(error);
  CHECK(error->code == ErrorCode::unavailable);
  CHECK(error->hint.find("docs/offsite.md") != std::string::npos);
}

TEST_CASE("a refresh token that counts no more is denied, with the way to a new one") {
  for (const char* const words :
       {"couldn't fetch token: invalid_grant: maybe token expired? - try refreshing with \"rclone "
        "config reconnect box:\"",
        "oauth2: cannot fetch token: 400 Bad Request Response: {\"error\":\"invalid_grant\","
        "\"error_description\":\"Stale token\"}",
        "token expired and there's no refresh token - manually refresh with \"rclone config "
        "reconnect box:\"",
        "failed to configure Box: empty token found - please run \"rclone config reconnect "
        "box:\""}) {
    CAPTURE(words);
    const auto error = rclone_failure(failed(std::string(words) + "\n"), "box:backups");
    REQUIRE(error);
    CHECK(reason_of(*error) == api::Reason::remote_denied);
    CHECK(error->hint.find("into the Secret anew") != std::string::npos);
  }
  const auto client = rclone_failure(
      failed("couldn't fetch token: invalid_client: if you're using your own client id/secret, "
             "make sure they're properly set up following the docs\n"),
      "box:backups");
  CHECK(reason_of(client.value()) == api::Reason::remote_denied);
  CHECK(client->hint.find("into the Secret anew") == std::string::npos);
  const auto away = rclone_failure(
      failed("couldn't fetch token: Post \"https://api.box.com/oauth2/token\": dial tcp: lookup "
             "api.box.com: no such host\n"),
      "box:backups");
  CHECK(reason_of(away.value()) == api::Reason::remote_unreachable);
}

TEST_CASE("of Azure's answer the reason is said, not the frame around it") {
  const std::string dashes(80, '-');
  const auto error = rclone_failure(
      failed(
          "2026/11/22 23:24:13 NOTICE: Failed to lsjson: GET https://a.blob.core.windows.net/c\n" +
          dashes +
          "\nRESPONSE 403: 403 Server failed to authenticate the request.\n"
          "ERROR CODE: AuthenticationFailed\n" +
          dashes + "\n<?xml version=\"1.0\"?><Error><Code>AuthenticationFailed</Code></Error>\n" +
          dashes + "\n\n"),
      "azure:c");
  REQUIRE(error);
  CHECK(error->message == "azure:c: rclone: ERROR CODE: AuthenticationFailed");
  CHECK(reason_of(*error) == api::Reason::remote_denied);
}

TEST_CASE("no user, no password and no control character of rclone's words is passed on") {
  const auto error =
      rclone_failure(failed("Propfind \"https://me:pw@host/x\": \x1b[31mbad\n"), "nextcloud:a");
  CHECK(error->message == "nextcloud:a: rclone: Propfind \"https://...@host/x\": ?[31mbad");
  CHECK(rclone_failure(failed(std::string(5000, 'x')), "s")->message.size() < 400);
}

TEST_CASE("a program that hangs, is killed or says nothing is an error, too") {
  ProcessResult hung;
  hung.timed_out = true;
  CHECK(reason_of(*rclone_failure(hung, "s")) == api::Reason::remote_unreachable);
  ProcessResult killed;
  killed.signal = 9;
  CHECK(rclone_failure(killed, "s")->message == "s: rclone was ended by signal 9");
  CHECK(rclone_failure(failed("", 7), "s")->message == "s: rclone: exit status 7");
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
  rclone.answer = failed("403 Forbidden\n");
  CHECK_FALSE(store.remove("etcd", {}));
}

TEST_CASE("the port of a remote is found in rclone.conf") {
  using Ports = std::vector<int>;
  const char* const config =
      "# mine\n"
      "[box]\ntype = sftp\nhost = backup.example\nport = 23\n"
      "[plain]\ntype=sftp\nhost=h\n"
      "[minio]\ntype = s3\nendpoint = http://minio.lan:9000\n"
      "[bare]\ntype = s3\nendpoint = minio.lan:9001\n"
      "[aws]\ntype = s3\nprovider = AWS\n"
      "[cloud]\ntype = webdav\nurl = https://me@cloud.example/dav:8/x\n"
      "[http]\ntype = webdav\nurl = http://cloud.example/dav\n"
      "[six]\ntype = webdav\nurl = https://[fd00::1]/dav\n"
      "[secret]\ntype = crypt\nremote = box:backups\n"
      "[loop]\ntype = alias\nremote = loop:x\n"
      "[disk]\ntype = local\n"
      "[both]\ntype = union\nupstreams = box:a /mnt/x minio:b:nc box:c disk:\n"
      "[dirs]\ntype = combine\nupstreams = a=secret:x \"b=my nas:y z\"\n"
      "[my nas]\ntype = smb\nhost = nas.lan\n"
      "[half]\ntype = union\nupstreams = box:a :sftp,host=h:b\n"
      "[swift]\ntype = swift\nauth = https://keystone.example:5000/v3\n"
      "[hdfs]\ntype = hdfs\nnamenode = n1\n"
      "[storj]\ntype = storj\nsatellite_address = 12ab@eu1.storj.io:7777\n";
  CHECK(remote_ports(config, "box:backups/cluster") == Ports{23});
  CHECK(remote_ports(config, "plain:") == Ports{22});
  CHECK(remote_ports(config, "minio:b") == Ports{9000});
  CHECK(remote_ports(config, "bare:b") == Ports{9001});
  CHECK(remote_ports(config, "aws:b") == Ports{443});
  CHECK(remote_ports(config, "cloud:b") == Ports{443});
  CHECK(remote_ports(config, "http:b") == Ports{80});
  CHECK(remote_ports(config, "six:b") == Ports{443});
  CHECK(remote_ports(config, "secret:") == Ports{23});
  CHECK(remote_ports(config, "loop:").empty());
  CHECK(remote_ports(config, "disk:").empty());
  CHECK(remote_ports(config, "other:").empty());
  CHECK(remote_ports("", "box:").empty());
  CHECK(remote_ports(config, "both:b") == Ports{23, 9000});
  CHECK(remote_ports(config, "dirs:") == Ports{23, 445});
  CHECK(remote_ports(config, "half:").empty());
  CHECK(remote_ports(config, "swift:b") == Ports{5000});
  CHECK(remote_ports(config, "hdfs:b") == Ports{8020});
  CHECK(remote_ports(config, "storj:b") == Ports{7777});
}

TEST_CASE("what the policy does not let through is said with the setting, and nothing else is") {
  CHECK(unreachable_hint({443}, {443}).empty());
  CHECK(unreachable_hint({23}, {}).empty());
  CHECK(unreachable_hint({}, {}).empty());
  const std::string hint = unreachable_hint({23}, {443, 8443});
  CHECK(hint.find("port 23") != std::string::npos);
  CHECK(hint.find("443,8443") != std::string::npos);
  CHECK(hint.find("networkPolicy.offsitePorts={23}") != std::string::npos);
  CHECK(hint.find("helm upgrade ... --reset-then-reuse-values --set") != std::string::npos);
  CHECK(unreachable_hint({}, {443}).find("networkPolicy.offsitePorts") != std::string::npos);
  const std::string both = unreachable_hint({23, 443}, {443});
  CHECK(both.find("port 23,") != std::string::npos);
  CHECK(both.find("networkPolicy.offsitePorts={23,443}") != std::string::npos);
}
