#include "offsite/rclone_words.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::offsite;

namespace {

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

} // namespace

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
        Row{"upload failed: path/insufficient_space/..", api::Reason::remote_full},
        Row{"Error \"storage_limit_exceeded\" (403): Account storage limit reached",
            api::Reason::remote_full},
        Row{"response error: An operation failed because the disk was full.",
            api::Reason::remote_full},
        Row{"error reading destination directory: too_many_requests/..",
            api::Reason::remote_unreachable},
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

TEST_CASE("what a section of rclone.conf lacks comes with the way to mend it") {
  struct Row {
    const char* words;
    const char* advice;
  };
  for (
      const Row& row :
      {Row{"NOTICE: Config file \"/x/rclone.conf\" not found - using defaults\nFailed to create "
           "file "
           "system for \"nextcloud:x\": didn't find section in config file",
           "offsite.existingSecret"},
       Row{"Failed to create file system for \"nextcloud:x\": didn't find section in config file",
           "look at the name of the remote"},
       Row{"Failed to load config file \"/x/rclone.conf\": unable to decrypt configuration and not "
           "allowed to ask for password - set RCLONE_CONFIG_PASS to your configuration password",
           "rclone config show"},
       Row{"Failed to create file system for \"nextcloud:x\": couldn't decrypt password: input too "
           "short when revealing password - is it obscured?",
           "rclone obscure"},
       Row{"Failed to create file system for \"secret:x\": failed to decrypt password: base64 "
           "decode failed when revealing password - is it obscured?: illegal base64 data at input "
           "byte 4",
           "rclone obscure"},
       Row{"Failed to create file system for \"box:x\": failed to read private key file: open "
           "/nonexistent/.ssh/id_ed25519: no such file or directory",
           "/etc/railiance-offsite"},
       Row{"Failed to create file system for \"box:x\": couldn't parse known_hosts_file: open "
           "/nonexistent/.ssh/known_hosts: no such file or directory",
           "/etc/railiance-offsite"},
       Row{"Failed to create file system for \"box:x\": couldn't connect to ssh-agent: SSH agent "
           "requested but SSH_AUTH_SOCK not-specified",
           "key_file"},
       Row{"Failed to create file system for \"box:x\": NewFs: couldn't connect SSH: ssh: "
           "handshake failed: knownhosts: key is unknown",
           "ssh-keyscan"},
       Row{"Failed to lsjson: error in ListJSON: NoCredentialProviders: no valid providers in "
           "chain. Deprecated.\n\tFor verbose messaging see "
           "aws.Config.CredentialsChainVerboseErrors",
           "rclone.conf"}}) {
    CAPTURE(row.words);
    const auto error =
        rclone_failure(failed(std::string("2026/11/30 03:56:23 ") + row.words + "\n"), "x:y");
    REQUIRE(error);
    CHECK(reason_of(*error) == api::Reason::remote_failed);
    CHECK(error->hint.find(row.advice) != std::string::npos);
    CHECK(error->message.find("verbose messaging") == std::string::npos);
  }
}

TEST_CASE("an SFTP server that says nothing but Failure may be full") {
  const auto error =
      rclone_failure(failed("Failed to copyto: Update ReadFrom failed: sftp: \"Failure\" "
                            "(SSH_FX_FAILURE)\n"),
                     "box:backups");
  REQUIRE(error);
  CHECK(reason_of(*error) == api::Reason::remote_failed);
  CHECK(error->hint.find("is there room?") != std::string::npos);
}

TEST_CASE("files of an archive class are no matter of user and password") {
  for (const char* const words :
       {"Failed to hashsum: Object in GLACIER, restore first: bucket=\"b\", key=\"etcd\"",
        "Failed to cat: operation error S3: GetObject, https response error StatusCode: 403, api "
        "error InvalidObjectState: The operation is not valid for the object's storage class",
        "Failed to cat: blob in archive tier, you need to set tier to hot, cool, cold first"}) {
    CAPTURE(words);
    const auto error = rclone_failure(failed(std::string(words) + "\n"), "s3:b");
    REQUIRE(error);
    CHECK(error->code == ErrorCode::io);
    CHECK(error->hint.find("offsite.rereadSeconds=0") != std::string::npos);
  }
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
