// Whose a set is, and which servers the cluster has besides this one.
#include "facts.hpp"
#include "restore/cluster/checks.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::cluster;
using test::check_refused;
using test::find_check;
using test::good_host;
using test::good_set;

TEST_CASE("trap: a set from when the cluster had one server, which has others by now") {
  ObservedHost host = good_host();
  host.data.members = {{"one-01234567", "https://192.0.2.11:2380"},
                       {"two-0a1b2c3d", "https://192.0.2.12:2380"}};
  const Decision refusal = decide(host, good_set(), {});
  check_refused(refusal, "servers");
  CHECK(find_check(refusal, "servers")->message ==
        "the cluster of this host has 2 servers by now (one 192.0.2.11, two 192.0.2.12), and had 1 "
        "when the set was made: restoring one while others run would split the cluster");
  Wishes wishes;
  wishes.single_server = true;
  CHECK_FALSE(decide(host, good_set(), wishes).refused());

  host.data.members.pop_back(); // restored or begun alone
  CHECK_FALSE(decide(host, good_set(), {}).refused());

  ObservedHost other = good_host(); // of another cluster, which this one does not touch
  other.data.members = {{"a-01234567", "https://192.0.2.21:2380"},
                        {"b-0a1b2c3d", "https://192.0.2.22:2380"}};
  other.data.token_hash = "ffffffffffff";
  wishes.single_server = false;
  wishes.replace_cluster = true;
  CHECK_FALSE(decide(other, good_set(), wishes).refused());
}

TEST_CASE("trap: several servers") {
  SetFacts set = good_set();
  set.members = 3;
  set.servers = {{"one", "192.0.2.11", {}}, {"two", "192.0.2.12", {}}, {"three", {}, {}}};
  const ObservedHost host = good_host();
  const Decision refusal = decide(host, set, {});
  check_refused(refusal, "servers");
  CHECK(find_check(refusal, "servers")->message ==
        "the cluster had 3 servers (one 192.0.2.11, two 192.0.2.12, three): restoring one while "
        "others run would split the cluster");
  Wishes wishes;
  wishes.single_server = true;
  const Decision decision = decide(host, set, wishes);
  CHECK_FALSE(decision.refused());
  // Both times what is to be done on the others.
  for (const Decision* const one : {&refusal, &decision}) {
    const std::string& hint = find_check(*one, "servers")->hint;
    CHECK(hint.find("afterwards run `railiance-restore rejoin` on each other one") !=
          std::string::npos);
  }
  CHECK(find_check(refusal, "servers")
            ->hint.starts_with("stop k3s on all of them (`systemctl stop k3s`), then "
                               "`railiance-restore restore 20261122T020000Z --execute "
                               "--single-server` here; "));
}

TEST_CASE("a set is restored when its host is known, refused when not, and taken when told") {
  using set::Provenance;
  SetFacts set = good_set();
  const auto decided = [&](Provenance verdict, bool first_use = false, bool allowed = false) {
    set.signature = SignatureFact{{verdict, "0123456789ABCDEF", ""}, first_use, "RWkey"};
    Wishes wishes;
    wishes.allow_unsigned = allowed;
    return decide(good_host(), set, wishes);
  };
  const Decision known = decided(Provenance::genuine);
  CHECK_FALSE(known.refused());
  CHECK(known.checks.front().name == "signature");
  CHECK(known.checks.front().verdict == Verdict::ok);
  const Decision first = decided(Provenance::genuine, true);
  CHECK_FALSE(first.refused());
  CHECK(find_check(first, "signature")->verdict == Verdict::warn);
  CHECK(find_check(first, "signature")->message.find("RWkey") != std::string::npos);
  for (const Provenance verdict : {Provenance::unproven, Provenance::unsigned_before}) {
    check_refused(decided(verdict), "signature", ExitCode::failed);
    CHECK_FALSE(decided(verdict, false, true).refused());
  }
  for (const Provenance verdict : {Provenance::unsigned_known,
                                   Provenance::unsigned_after,
                                   Provenance::signature_missing,
                                   Provenance::tampered,
                                   Provenance::other_key,
                                   Provenance::swapped}) {
    check_refused(decided(verdict), "signature", ExitCode::damaged);
    const Decision told = decided(verdict, false, true);
    CHECK(find_check(told, "signature")->verdict == Verdict::warn);
  }
}

TEST_CASE("a set is restored, with a warning, when one before it was taken away") {
  SetFacts set = good_set();
  set.signature = SignatureFact{
      {set::Provenance::removed_before, "0123456789ABCDEF", "set A was taken away"}, false, ""};
  const Decision decision = decide(good_host(), set, {});
  CHECK_FALSE(decision.refused());
  CHECK(find_check(decision, "signature")->verdict == Verdict::warn);
  CHECK(find_check(decision, "signature")->message.starts_with("set A was taken away"));
}
