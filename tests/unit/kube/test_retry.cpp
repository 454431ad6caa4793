#include "fakes.hpp"

#include "base/json_fields.hpp"
#include "kube/retry.hpp"

#include <doctest/doctest.h>

#include <cerrno>

using namespace rb;
using namespace rb::kube;
using rb::kube::test::status_body;
using namespace std::chrono_literals;

namespace {

Error from(int status, const std::string& body, bool confidential = false) {
  return error_from_response("GET /x", status, 0s, body, confidential);
}

Error error(ErrorCode code, int http_status = 0, int system_errno = 0) {
  Error made{code, "x", {}};
  made.http_status = http_status;
  made.system_errno = system_errno;
  return made;
}

const Backoff::TimePoint k_start{std::chrono::hours(1)};

} // namespace

TEST_CASE("each HTTP status has its code") {
  struct Row {
    int status;
    ErrorCode code;
  };
  for (const Row& row : {Row{400, ErrorCode::invalid_argument},
                         Row{401, ErrorCode::unauthenticated},
                         Row{403, ErrorCode::permission_denied},
                         Row{404, ErrorCode::not_found},
                         Row{405, ErrorCode::unsupported},
                         Row{406, ErrorCode::unsupported},
                         Row{408, ErrorCode::timeout},
                         Row{409, ErrorCode::conflict},
                         Row{410, ErrorCode::gone},
                         Row{413, ErrorCode::invalid_argument},
                         Row{415, ErrorCode::unsupported},
                         Row{422, ErrorCode::invalid_argument},
                         Row{429, ErrorCode::throttled},
                         Row{500, ErrorCode::unavailable},
                         Row{502, ErrorCode::unavailable},
                         Row{503, ErrorCode::unavailable},
                         Row{504, ErrorCode::timeout},
                         Row{302, ErrorCode::unsupported}}) {
    CAPTURE(row.status);
    const Error error = from(row.status, "");
    CHECK(error.code == row.code);
    CHECK(error.http_status == row.status);
    CHECK(error.message == "GET /x: HTTP " + std::to_string(row.status));
  }
}

TEST_CASE("a 409 is a conflict or a taken name, by the reason of the Status") {
  CHECK(from(409, status_body(409, "AlreadyExists", "x")).code == ErrorCode::already_exists);
  CHECK(from(409, status_body(409, "Conflict", "x")).code == ErrorCode::conflict);
}

TEST_CASE("the message is that of the Status, on one line, and bounded") {
  CHECK(from(404, status_body(404, "NotFound", "pods \"a\" not found")).message ==
        "GET /x: pods \"a\" not found");
  const Error error =
      from(400, status_body(400, "BadRequest", "one\ntwo\x1b[31m" + std::string(2000, 'y')));
  CHECK(error.message.find_first_of("\n\x1b") == std::string::npos);
  CHECK(error.message.size() < 530);
  std::string umlauts;
  while (umlauts.size() < 1023) {
    umlauts += "\xc3\xa4";
  }
  CHECK_NOTHROW(
      nlohmann::json(from(400, status_body(400, "BadRequest", "z" + umlauts)).message).dump());
}

TEST_CASE("what was said about a confidential kind is not passed on") {
  const Error error =
      from(422, status_body(422, "Invalid", "data: Invalid value: \"hunter2\""), true);
  CHECK(error.message == "GET /x: Invalid");
  CHECK(error.code == ErrorCode::invalid_argument);
}

TEST_CASE("a body that is no Status is not quoted") {
  CHECK(from(502, "<html>secret</html>").message == "GET /x: HTTP 502");
  CHECK(from(500, R"({"kind":"Secret","message":"hunter2"})").message == "GET /x: HTTP 500");
  CHECK(from(500, R"({"kind":"Status","message":5})").message == "GET /x: HTTP 500");
  CHECK(from(500, "[1,2]").message == "GET /x: HTTP 500");
}

TEST_CASE("Retry-After comes from the header, else from the Status") {
  const std::string body =
      R"({"kind":"Status","reason":"TooManyRequests","message":"m","details":{"retryAfterSeconds":9}})";
  CHECK(from(429, body).retry_after == 9s);
  CHECK(error_from_response("x", 429, 3s, body, false).retry_after == 3s);
  CHECK(from(429, R"({"kind":"Status","details":{"retryAfterSeconds":-9}})").retry_after == 0s);
  CHECK(from(429, R"({"kind":"Status","details":{"retryAfterSeconds":1e99}})").retry_after == 0s);
}

TEST_CASE("the Status in a watch says its own code, or its reason does") {
  using nlohmann::json;
  CHECK(error_from_status("w", json_of(status_body(410, "Expired", "old")), false).code ==
        ErrorCode::gone);
  CHECK(error_from_status("w", json{{"reason", "Expired"}}, false).code == ErrorCode::gone);
  CHECK(error_from_status("w", json{{"code", "410"}}, false).code == ErrorCode::unavailable);
  CHECK(error_from_status("w", json::array(), false).code == ErrorCode::unavailable);
}

TEST_CASE("what the datastore could not answer for a moment is told from what cannot be decoded") {
  for (const char* words :
       {"etcdserver: leader changed",
        "etcdserver: request timed out, possibly due to previous leader failure",
        "rpc error: code = Unavailable desc = transport is closing",
        "rpc error: code = Unknown desc = etcdserver: no leader",
        "rpc error: code = Unknown desc = database is locked (5) (SQLITE_BUSY)",
        // A KMS plugin that is started anew: of a list, of one object, of a write.
        "Internal error occurred: unable to transform key \"/registry/secrets/a/b\": failed get "
        "version from remote KMS provider: rpc error: code = DeadlineExceeded desc = latest "
        "balancer error: connection error",
        "Internal error occurred: failed to decrypt DEK, error: rpc error: code = Unavailable desc "
        "= connection error",
        "Internal error occurred: rpc error: code = DeadlineExceeded desc = context deadline "
        "exceeded"}) {
    CAPTURE(words);
    CHECK(is_of_datastore(from(500, status_body(500, "", words), true)));
    CHECK(is_of_datastore(from(500, status_body(500, "", words))));
    CHECK(may_resend(Method::get, from(500, status_body(500, "", words))));
    CHECK_FALSE(may_resend(Method::post, from(500, status_body(500, "", words))));
    CHECK_FALSE(is_of_datastore(from(503, status_body(503, "", words))));
  }
  for (const char* words :
       {"Internal error occurred: unable to transform key \"/registry/secrets/a/b\": no matching "
        "prefix "
        "found",
        "Internal error occurred: unable to transform key \"/registry/secrets/a/b\": failed to "
        "decrypt DEK, error: rpc error: code = InvalidArgument desc = unknown key",
        "rpc error: code = ResourceExhausted desc = grpc: trying to send message larger than max",
        "no kind \"X\" is registered",
        ""}) {
    CAPTURE(words);
    CHECK_FALSE(is_of_datastore(from(500, status_body(500, "InternalError", words), true)));
  }
}

TEST_CASE("who may not gets a hint that says what to look at") {
  CHECK(from(403, "").hint == "check the RBAC rules for: GET /x");
  CHECK_FALSE(from(401, "").hint.empty());
}

TEST_CASE("what a policy, a quota or a namespace that is going refuses is no matter of RBAC") {
  const auto hint = [](int status, const char* words) {
    return from(status, status_body(status, "Forbidden", words)).hint;
  };
  CHECK(hint(403,
             "clusterbackups.backup.railiance.io \"b\" is forbidden: User \"eve\" cannot create "
             "resource \"clusterbackups\"") == "check the RBAC rules for: GET /x");
  for (const int status : {400, 403, 422}) {
    CHECK(hint(status,
               "admission webhook \"validate.kyverno.svc-fail\" denied the request: policy "
               "require-labels: validation error")
              .starts_with("a policy of the cluster refuses it"));
    CHECK(hint(status,
               "clusterbackups \"b\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'q' "
               "denied request: failed expression: false")
              .starts_with("a policy of the cluster refuses it"));
  }
  CHECK(hint(403, "configmaps \"x\" is forbidden: exceeded quota: q, requested: count/configmaps=1")
            .starts_with("the ResourceQuota"));
  CHECK(hint(403,
             "configmaps \"x\" is forbidden: unable to create new content in namespace "
             "railiance-backup because it is being terminated")
            .starts_with("the namespace is being deleted"));
}

TEST_CASE("what may have been done already is not sent again unless that changes nothing") {
  const Error lost = error(ErrorCode::unavailable);
  const Error server_error = error(ErrorCode::unavailable, 503);
  for (const Method method : {Method::get, Method::put, Method::remove}) {
    CHECK(may_resend(method, lost));
    CHECK(may_resend(method, server_error));
  }
  for (const Method method : {Method::post, Method::patch}) {
    CHECK_FALSE(may_resend(method, lost));
    CHECK_FALSE(may_resend(method, server_error));
  }
  const Error refused = error(ErrorCode::unavailable, 0, ECONNREFUSED);
  CHECK(may_resend(Method::post, refused));
  CHECK(may_resend(Method::post, error(ErrorCode::throttled, 429)));
}

TEST_CASE("a TLS failure, a timeout and a refusal are not sent again") {
  CHECK_FALSE(may_resend(Method::get, error(ErrorCode::unavailable, 0, EPROTO)));
  CHECK_FALSE(may_resend(Method::get, error(ErrorCode::timeout)));
  CHECK_FALSE(may_resend(Method::get, error(ErrorCode::permission_denied, 403)));
  CHECK_FALSE(may_resend(Method::get, error(ErrorCode::unauthenticated, 401)));
  CHECK_FALSE(may_resend(Method::get, error(ErrorCode::cancelled)));
}

TEST_CASE("an object without room for what is written to it is no failure in passing") {
  const auto answer = [](int status, const std::string& message) {
    const std::string body =
        nlohmann::json{{"kind", "Status"}, {"message", message}, {"code", status}}.dump();
    return error_from_response("PUT /x", status, {}, body, false);
  };
  for (const auto& [status, message] :
       {std::pair{500, "etcdserver: request is too large"},
        {500,
         "rpc error: code = ResourceExhausted desc = trying to send message larger than max "
         "(2097335 vs. 2097152)"},
        {500, "rpc error: code = InvalidArgument desc = etcdserver: request is too large"},
        {413, "Request entity too large: limit is 3145728"}}) {
    CAPTURE(message);
    const Error too_large = answer(status, message);
    CHECK(is_too_large(too_large));
    CHECK_FALSE(is_of_datastore(too_large));
    CHECK_FALSE(may_resend(Method::put, too_large));
  }
  const Error passing = answer(500, "etcdserver: leader changed");
  CHECK_FALSE(is_too_large(passing));
  CHECK(is_of_datastore(passing));
  CHECK(may_resend(Method::put, passing));
}

TEST_CASE("pages shrink where they are too large or late, and grow by what comes") {
  constexpr std::size_t k_limit = 1000;
  PageSize pages(500, 500, k_limit);
  CHECK(pages.shrink(error(ErrorCode::unsupported)));
  CHECK(pages.now() == 250);
  pages.came(10, 100);
  CHECK(pages.now() == 50); // half of what is taken
  pages.came(10, 20);
  CHECK(pages.now() == 250);
  pages.came(0, 20);
  CHECK(pages.now() == 250);
  CHECK(pages.shrink(error(ErrorCode::timeout)));
  CHECK(pages.now() == 62);
  pages.came(10, 10);
  CHECK(pages.now() == 62); // it was late once
  pages.ended();
  pages.came(10, 10);
  CHECK(pages.now() == 124);
  pages.came(1, 100'000);
  CHECK(pages.now() == 1);
  CHECK_FALSE(pages.shrink(error(ErrorCode::unsupported)));
  CHECK_FALSE(PageSize(16, 500, k_limit).shrink(error(ErrorCode::permission_denied, 403)));
  PageSize all(0, 0, k_limit);
  all.came(10, 10);
  all.ended();
  CHECK(all.now() == 0);
  CHECK_FALSE(all.shrink(error(ErrorCode::unsupported)));
}

TEST_CASE("the back-off doubles from 800 ms to 30 s") {
  Backoff backoff;
  Backoff::TimePoint now = k_start;
  for (const auto expected : {800ms, 1600ms, 3200ms, 6400ms, 12800ms, 25600ms, 30000ms, 30000ms}) {
    const auto least = backoff.next(now, 0.0);
    CHECK(least == expected / 2);
    now += least;
  }
}

TEST_CASE("the jitter stays between half the delay and the whole") {
  for (const double fraction : {0.0, 0.25, 0.5, 0.999}) {
    Backoff backoff;
    const auto wait = backoff.next(k_start, fraction);
    CHECK(wait >= 400ms);
    CHECK(wait <= 800ms);
  }
}

TEST_CASE("after 120 s of quiet the back-off starts over, and not before") {
  Backoff backoff;
  (void)backoff.next(k_start, 0.0);      // ends at +0.4 s
  (void)backoff.next(k_start + 1s, 0.0); // ends at +1.8 s
  CHECK(backoff.next(k_start + 100s, 0.0) == 1600ms);
  CHECK(backoff.next(k_start + 300s, 0.0) == 400ms);
}

TEST_CASE("Retry-After is waited for, up to five minutes") {
  Backoff backoff;
  CHECK(backoff.next(k_start, 0.0, 7s) == 7s);
  CHECK(backoff.next(k_start, 0.0, 86400s) == 300s);
}

TEST_CASE("a loop without a pause has its burst and then one round a period") {
  Pace pace({100ms, 5});
  Pace::TimePoint now = k_start;
  for (int round = 0; round < 5; ++round) {
    CHECK(pace.wait_before_next(now) == 0ms);
  }
  for (int round = 0; round < 20; ++round) {
    const auto wait = pace.wait_before_next(now);
    CHECK(wait == 100ms);
    now += wait;
  }
  now += 1h;
  for (int round = 0; round < 5; ++round) {
    CHECK(pace.wait_before_next(now) == 0ms);
  }
  CHECK(pace.wait_before_next(now) == 100ms);
}
