#include "kube/resource.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::kube;

TEST_CASE("paths are those of the API server") {
  CHECK(object_path({k_secrets, "kube-system", "a.v1", {}}).value() ==
        "/api/v1/namespaces/kube-system/secrets/a.v1");
  CHECK(object_path({k_cluster_backups, {}, "daily", "status"}).value() ==
        "/apis/backup.railiance.io/v1alpha1/clusterbackups/daily/status");
  CHECK(collection_path(k_leases, "railiance-backup").value() ==
        "/apis/coordination.k8s.io/v1/namespaces/railiance-backup/leases");
  CHECK(collection_path(k_secrets, "").value() == "/api/v1/secrets");
}

TEST_CASE("a name of 253 characters is taken, one of 254 is not") {
  const std::string longest =
      std::string(63, 'a') + "." + std::string(63, 'b') + "." + std::string(125, 'c');
  REQUIRE(longest.size() == 253);
  CHECK(check_name(longest));
  CHECK(check_name(longest + "d").error().code == ErrorCode::invalid_argument);
}

TEST_CASE("names that would climb out of the path, or are none, are refused") {
  for (const char* bad :
       {"",   ".",  "..",   "../x", "a/b",  "a%2fb", "A",    "a_b", "-a",  "a-",
        ".a", "a.", "a..b", "a.-b", "a-.b", "a b",   "a\nb", "a?b", "a#b", "\xc3\xa4"}) {
    CAPTURE(bad);
    CHECK(check_name(bad).error().code == ErrorCode::invalid_argument);
    CHECK_FALSE(object_path({k_cluster_backups, {}, bad, {}}).has_value());
  }
  for (const char* bad : {"a.b", "A", "..", "-", "a/b"}) {
    CAPTURE(bad);
    CHECK_FALSE(collection_path(k_secrets, bad).has_value());
  }
  CHECK(check_namespace(std::string(63, 'a')));
  CHECK_FALSE(check_namespace(std::string(64, 'a')).has_value());
}

TEST_CASE("a message quotes a bad name without its control characters, and not endlessly") {
  const Error error = check_name("a\x1b[31m" + std::string(500, 'X')).error();
  CHECK(error.message.find('\x1b') == std::string::npos);
  CHECK(error.message.size() < 150);
}

TEST_CASE("a namespace must be given exactly where the type has one") {
  CHECK(object_path({k_secrets, {}, "a", {}}).error().message ==
        "secrets: the namespace is missing");
  CHECK(collection_path(k_cluster_backups, "default").error().code == ErrorCode::invalid_argument);
}

TEST_CASE("versions are compared as numbers, and what is no number is not older") {
  CHECK(is_older_version("9", "10"));
  CHECK_FALSE(is_older_version("10", "10"));
  CHECK_FALSE(is_older_version("11", "10"));
  CHECK(is_older_version("18446744073709551614", "18446744073709551615"));
  for (const char* odd : {"", "x", "9x", "-1", " 9", "18446744073709551616"}) {
    CAPTURE(odd);
    CHECK_FALSE(is_older_version(odd, "10"));
    CHECK_FALSE(is_older_version("1", odd));
  }
}
