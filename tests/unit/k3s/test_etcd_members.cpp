// Holds: the members of etcd are read as k3s lists them, and nothing else passes for a list of
// them.
#include "k3s/etcd_members.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::k3s;

namespace {

constexpr const char* k_members =
    R"({"members":[{"ID":18446744073709551615,"name":"one-11111111",)"
    R"("peerURLs":["https://192.0.2.11:2380"],"clientURLs":["https://192.0.2.11:2379"]},)"
    R"({"ID":2,"name":"two-0a1b2c3d","peerURLs":["https://[2001:db8::2]:2380"],"isLearner":true}]})";

} // namespace

TEST_CASE("the members of etcd: ids of any size, learners, addresses of both families") {
  const auto members = parse_members(k_members);
  REQUIRE(members);
  REQUIRE(members->size() == 2);
  CHECK(members->front().id == 18446744073709551615ULL);
  CHECK(voting(*members) == 1);
  CHECK(member_named(*members, "two-0a1b2c3d")->learner);
  CHECK(member_named(*members, "three") == nullptr);
  CHECK(member_named(*members, "") == nullptr);
  CHECK(members->back().peer_url == "https://[2001:db8::2]:2380");
}

TEST_CASE("what is no list of members is corrupt, and so is one in which nobody has an id") {
  for (const char* const text : {"",
                                 "ok",
                                 "[]",
                                 "{}",
                                 R"({"members":[]})",
                                 R"({"members":{"ID":1}})",
                                 R"({"members":[5]})",
                                 R"({"members":[{"name":"one-11111111"}]})",
                                 R"({"members":[{"ID":-1,"name":"x"}]})",
                                 R"({"members":[{"ID":1},{"ID":1e300}]})"}) {
    CAPTURE(text);
    const auto members = parse_members(text);
    REQUIRE_FALSE(members);
    CHECK(members.error().code == ErrorCode::corrupt);
  }
}

TEST_CASE("two servers of one cluster list the same ids, two restored apart do not") {
  const auto members = *parse_members(k_members);
  CHECK(same_members(members, members));
  CHECK_FALSE(same_members(members, {members.front()}));
  auto other = members;
  other.front().id = 7;
  CHECK_FALSE(same_members(members, other));
}

TEST_CASE("the name of a node in that of its member") {
  CHECK(node_of_member("server-1-1a2b3c4d") == "server-1");
  CHECK(node_of_member("server-1") == "server-1");
  CHECK(node_of_member("server-1-1a2b3c4g") == "server-1-1a2b3c4g");
  CHECK(node_of_member("-1a2b3c4d") == "-1a2b3c4d");
  CHECK(node_of_member("a;b`c-1a2b3c4d") == "a?b?c");
  CHECK(node_of_member("").empty());
}
