// What the server says of its members, and what that means for a snapshot of it.
#include "agent/orders/facts_reporter.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::agent;
using api::Member;

namespace {

/// As etcd's client writes its list: numbers that no double holds, and fields that we do not know.
constexpr const char* k_list = R"({"members":[
  {"ID":10276657743932975437,"name":"cp-1-0a1b2c3d","peerURLs":["https://10.0.0.1:2380"],
   "clientURLs":["https://10.0.0.1:2379"]},
  {"ID":1,"name":"cp-2-11111111","peerURLs":["https://10.0.0.2:2380"],"isLearner":true},
  {"ID":2,"peerURLs":["https://10.0.0.3:2380"]}]})";

} // namespace

TEST_CASE("a member that the list names without a word of a learner votes") {
  CHECK(member_in(200, k_list, "cp-1-0a1b2c3d") == Member::voting);
  CHECK(member_in(200, R"({"members":[{"ID":1,"name":"only"}]})", "only") == Member::voting);
}

TEST_CASE("a learner, and a member that has been added and not started, do not vote") {
  CHECK(member_in(200, k_list, "cp-2-11111111") == Member::learner);
  CHECK(member_in(200, k_list, "cp-3-22222222") == Member::learner);
}

TEST_CASE("an error of the list means that etcd has no leader, or is a learner itself") {
  CHECK(member_in(500,
                  "failed to get etcd MemberList: etcdserver: rpc not supported for learner",
                  "cp-1") == Member::learner);
  CHECK(member_in(500, "failed to get etcd MemberList: context deadline exceeded", "cp-1") ==
        Member::no_quorum);
}

TEST_CASE("what is no answer to the question says nothing") {
  for (const int status : {400, 401, 403, 404, 503}) { // SQLite, not this host, starting
    CHECK(member_in(status, k_list, "cp-1-0a1b2c3d") == Member::unknown);
  }
  for (const char* body : {"",
                           "starting",
                           "[]",
                           "{}",
                           R"({"members":[]})",
                           R"({"members":{}})",
                           R"({"members":[{"name":7}]})"}) {
    CAPTURE(body);
    CHECK(member_in(200, body, "cp-1-0a1b2c3d") == Member::unknown);
  }
  CHECK(member_in(200, k_list, "") == Member::unknown); // no etcd has run here
}
