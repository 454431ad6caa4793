// Which k3s may take over the data of which. docs/versions.md says where the table comes from.
#include "k3s/versions.hpp"

#include <doctest/doctest.h>

#include <tuple>
#include <vector>

using namespace rb;
using namespace rb::k3s;
using api::DatastoreKind;

namespace {

std::string etcd_text(const char* release) {
  const auto parsed = parse_release(release);
  REQUIRE(parsed);
  const auto etcd = etcd_of(*parsed);
  return etcd ? to_string(*etcd) : "unknown";
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("releases are in the order in which they came out") {
  const std::vector<const char*> order{"v1.9.0+k3s1",
                                       "v1.33.13+k3s1",
                                       "v1.34.0-alpha.1+k3s1",
                                       "v1.34.0-rc1+k3s1",
                                       "v1.34.0-rc2+k3s1",
                                       "v1.34.0+k3s1",
                                       "v1.34.4+standin",
                                       "v1.34.4+k3s1",
                                       "v1.34.4+k3s10",
                                       "v1.34.10+k3s1",
                                       "v1.35.0+k3s1",
                                       "v2.0.0+k3s1"};
  for (std::size_t at = 1; at < order.size(); ++at) {
    CAPTURE(order[at]);
    CHECK(parse_release(order[at - 1]).value() < parse_release(order[at]).value());
  }
  CHECK(parse_release("v1.34.4-k3s1") == parse_release("v1.34.4+k3s1")); // as a tag of an image
  CHECK(parse_release("1.34.4+k3s1") == parse_release("v1.34.4+k3s1"));
  CHECK(parse_release("v1.35.0-rc1-k3s1") == parse_release("v1.35.0-rc1+k3s1"));
}

TEST_CASE("what is no release is none, whoever wrote it") {
  for (const char* const text : {"",
                                 "v",
                                 "1.34",
                                 "latest",
                                 "v1.34.4 ",
                                 "v1.34.4k3s1",
                                 "v1.34.4+k3s1; reboot",
                                 "v1.34.4+k3s1\n",
                                 "v1..4",
                                 "-1.2.3"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_release(text));
  }
  CHECK(parse_release("v1.99999999999999999999.0+k3s1") == std::nullopt);
}

TEST_CASE("the etcd of each line; what was not seen is not known") {
  const std::vector<std::pair<const char*, const char*>> seen{
      {"v1.22.17+k3s1", "unknown"},
      {"v1.23.0+k3s1", "3.5"},
      {"v1.32.13+k3s1", "3.5"},
      {"v1.33.0+k3s1", "3.5"},
      {"v1.33.7+k3s3", "3.5"},
      {"v1.33.8+k3s1", "unknown"},
      {"v1.33.12+k3s1", "unknown"},
      {"v1.33.13+k3s1", "3.6"},
      {"v1.34.1+k3s1", "3.6"},
      {"v1.34.4+standin", "3.6"},
      {"v1.34.10+k3s1", "3.6"},
      {"v1.35.6+k3s1", "3.6"},
      {"v1.36.2+k3s1", "3.6"},
      {"v1.37.0-rc1+k3s1", "3.7"},
      {"v1.37.2+k3s1", "3.7"},
      {"v1.38.0+k3s1", "unknown"},
  };
  for (const auto& [release, etcd] : seen) {
    CAPTURE(release);
    CHECK(etcd_text(release) == etcd);
  }
}

TEST_CASE("which k3s may restore which snapshot of etcd") {
  // Rows: of which k3s the snapshot is; columns: which k3s is to restore it.
  const std::vector<const char*> releases{"v1.32.9+k3s1",
                                          "v1.33.7+k3s1",
                                          "v1.33.9+k3s1",
                                          "v1.33.13+k3s1",
                                          "v1.34.4+k3s1",
                                          "v1.35.1+k3s1",
                                          "v1.36.2+k3s1",
                                          "v1.37.2+k3s1",
                                          "v1.38.0+k3s1"};
  // g: good, d: doubtful, r: refused.
  const std::vector<const char*> expected{"ggggddddd",  // 1.32: etcd 3.5
                                          "rggggdddd",  // 1.33.7: 3.5
                                          "rdgggdddd",  // 1.33.9: not known
                                          "rrdggdddd",  // 1.33.13: 3.6
                                          "rrrrggddd",  // 1.34
                                          "rrrrrggdd",  // 1.35
                                          "rrrrrrggd",  // 1.36
                                          "rrrrrrrgg",  // 1.37: 3.7
                                          "rrrrrrrrg"}; // 1.38: not known
  for (std::size_t by = 0; by < releases.size(); ++by) {
    for (std::size_t here = 0; here < releases.size(); ++here) {
      CAPTURE(releases[by]);
      CAPTURE(releases[here]);
      const FitVerdict verdict =
          judge_restore({DatastoreKind::etcd, releases[by], {}}, releases[here]);
      const char word = verdict.fit == Fit::good ? 'g' : verdict.fit == Fit::doubtful ? 'd' : 'r';
      CHECK(word == expected[by][here]);
      CHECK(has(verdict.message, releases[here]));
      CHECK(verdict.hint.empty() == (verdict.fit == Fit::good));
    }
  }
}

TEST_CASE("what the snapshot says of itself goes before what its k3s is known to bring") {
  // v1.33.9 is in no row of the table; the storage version is there since etcd 3.6.
  const StoredData data{DatastoreKind::etcd, "v1.33.9+k3s1", "3.6.0"};
  const FitVerdict refused = judge_restore(data, "v1.33.7+k3s1");
  CHECK(refused.fit == Fit::refused);
  CHECK(refused.message ==
        "k3s here is v1.33.7+k3s1, at the backup v1.33.9+k3s1: the data are of etcd 3.6, and etcd "
        "3.5 of this k3s does not start on them");
  CHECK(refused.hint == "install v1.33.9+k3s1 (INSTALL_K3S_VERSION=v1.33.9+k3s1)");
  CHECK(judge_restore(data, "v1.34.4+k3s1").fit == Fit::good);

  // A cluster that was just upgraded still has the older form.
  CHECK(judge_restore({DatastoreKind::etcd, "v1.37.0+k3s1", "3.6.0"}, "v1.36.2+k3s1").fit ==
        Fit::refused); // but its objects are of the newer Kubernetes
}

TEST_CASE("a version that nobody recorded is said, and refused only where the data speak") {
  const FitVerdict said = judge_restore({DatastoreKind::etcd, "", ""}, "v1.34.4+k3s1");
  CHECK(said.fit == Fit::doubtful);
  CHECK(has(said.message, "it was not recorded"));
  CHECK(judge_restore({DatastoreKind::etcd, "v1.34.4+k3s1", ""}, "master").fit == Fit::doubtful);

  const FitVerdict refused = judge_restore({DatastoreKind::etcd, "", "3.7.0"}, "v1.36.2+k3s1");
  CHECK(refused.fit == Fit::refused);
  CHECK(refused.hint == "install the k3s that the set was made by, which is v1.37.0 or later");
  CHECK(judge_restore({DatastoreKind::etcd, "", "9.9.0"}, "v1.36.2+k3s1").hint ==
        "install the k3s that the set was made by");
  // What somebody wrote into a manifest is never a line to paste.
  CHECK_FALSE(has(judge_restore({DatastoreKind::etcd, "v1; reboot", "3.7.0"}, "v1.36.2+k3s1").hint,
                  "reboot"));
}

TEST_CASE("an older patch release is said, not refused") {
  const FitVerdict verdict =
      judge_restore({DatastoreKind::etcd, "v1.34.4+k3s1", "3.6.0"}, "v1.34.3+k3s1");
  CHECK(verdict.fit == Fit::doubtful);
  CHECK(verdict.message == "k3s here is v1.34.3+k3s1, at the backup v1.34.4+k3s1: an older patch "
                           "release of the same line");
  CHECK(verdict.hint == "better install v1.34.4+k3s1 (INSTALL_K3S_VERSION=v1.34.4+k3s1)");
}

TEST_CASE("etcd goes up by one minor release at a time") {
  const FitVerdict verdict =
      judge_restore({DatastoreKind::etcd, "v1.33.7+k3s1", ""}, "v1.37.2+k3s1");
  CHECK(verdict.fit == Fit::doubtful);
  CHECK(has(verdict.message, "etcd 3.5 to 3.7"));
}

TEST_CASE("of SQLite the minor release of k3s counts, and no etcd") {
  const auto fit = [](const char* by, const char* here) {
    return judge_restore({DatastoreKind::sqlite, by, "3.46.1"}, here).fit;
  };
  CHECK(fit("v1.33.13+k3s1", "v1.33.7+k3s1") == Fit::doubtful); // of etcd it would be refused
  CHECK(fit("v1.34.4+k3s1", "v1.34.4+k3s1") == Fit::good);
  CHECK(fit("v1.34.4+k3s1", "v1.35.1+k3s1") == Fit::good);
  CHECK(fit("v1.34.4+k3s1", "v1.33.13+k3s1") == Fit::refused);
  CHECK(fit("v1.34.4+k3s1", "v1.37.2+k3s1") == Fit::doubtful);
  CHECK(fit("", "v1.34.4+k3s1") == Fit::doubtful);
}

TEST_CASE("what a downgrade needs after the upgrade") {
  using Row = std::tuple<DatastoreKind, const char*, const char*, WayBack, const char*>;
  const DatastoreKind etcd = DatastoreKind::etcd;
  const DatastoreKind sqlite = DatastoreKind::sqlite;
  const std::vector<Row> rows{
      {etcd,
       "v1.34.4+k3s1",
       "v1.34.5+k3s1",
       WayBack::binary,
       "v1.34.5+k3s1 brings etcd 3.6, as v1.34.4+k3s1 does: a downgrade needs only the binary"},
      {etcd,
       "v1.34.4+k3s1",
       "v1.35.1+k3s1",
       WayBack::restore,
       "v1.35.1+k3s1 brings etcd 3.6, as v1.34.4+k3s1 does, but k3s goes back from v1.35 to v1.34 "
       "only with the data of before"},
      {etcd,
       "v1.33.7+k3s1",
       "v1.33.13+k3s1",
       WayBack::restore,
       "v1.33.13+k3s1 brings etcd 3.6, and etcd 3.5 of v1.33.7+k3s1 does not start on its data"},
      {etcd,
       "v1.36.2+k3s1",
       "v1.37.2+k3s1",
       WayBack::restore,
       "v1.37.2+k3s1 brings etcd 3.7, and etcd 3.6 of v1.36.2+k3s1 does not start on its data"},
      {etcd,
       "v1.33.7+k3s1",
       "v1.33.9+k3s1",
       WayBack::unknown,
       "whether v1.33.9+k3s1 brings another etcd than v1.33.7+k3s1 is not known"},
      {etcd,
       "v1.37.2+k3s1",
       "v1.38.0+k3s1",
       WayBack::restore,
       "whether v1.38.0+k3s1 brings another etcd than v1.37.2+k3s1 is not known, and k3s goes back "
       "from v1.38 to v1.37 only with the data of before"},
      {sqlite,
       "v1.33.7+k3s1",
       "v1.33.13+k3s1",
       WayBack::binary,
       "v1.33.13+k3s1 is of the same minor release as v1.33.7+k3s1: a downgrade needs only the "
       "binary"},
      {sqlite,
       "v1.34.4+k3s1",
       "v1.35.1+k3s1",
       WayBack::restore,
       "k3s goes back from v1.35 to v1.34 only with the data of before"},
      {etcd,
       "",
       "v1.35.1+k3s1",
       WayBack::unknown,
       "whether the k3s of now starts on what v1.35.1+k3s1 leaves is not known"},
  };
  for (const auto& [kind, from, to, way, message] : rows) {
    CAPTURE(from);
    CAPTURE(to);
    const WayBackVerdict verdict = judge_way_back(kind, from, to);
    CHECK(verdict.way == way);
    CHECK(verdict.message == message);
  }
}

TEST_CASE("k3s's own releases, and what only looks like one") {
  for (const char* const one : {"v1.34.4+k3s1", "v1.33.9-rc2+k3s1", "v1.36.3-k3s2"}) {
    CHECK(is_release_of_k3s(one));
  }
  for (const char* const other :
       {"v1.34.4", "v1.34.4+rke2r1", "1.34.4+k3s1", "", "v1.34.4+k3s1; x"}) {
    CHECK_FALSE(is_release_of_k3s(other));
  }
}
