// Sets of several servers in one directory: each is judged among those of its own host.
#include "set/catalogue.hpp"
#include "set/names.hpp"
#include "set/signed_write.hpp"
#include "support/sets.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <filesystem>

using namespace rb;
using namespace rb::set;
using test::run_id_of_day;
namespace fs = std::filesystem;

namespace {

/// A server that makes sets in a directory of its own.
struct Server {
  explicit Server(std::string name)
      : node(std::move(name)), directory(Directory::open(temporary.file("backups")).value()) {}

  void add(int day, std::vector<api::ServerEntry> servers = {}) {
    Manifest manifest = test::make_manifest(run_id_of_day(day));
    manifest.node_name = node;
    manifest.servers = std::move(servers);
    ChainEnd end = chain_end(list_sets(directory).value(), {}, key.public_key());
    manifest.signed_by = sign::to_string(key.public_key().id());
    manifest.previous = std::move(end.previous);
    manifest.catalogue = std::move(end.catalogue);
    for (const auto& artifact : manifest.artifacts) {
      auto writer = ArtifactWriter::create(directory, artifact.file_name).value();
      REQUIRE(writer.write(test::content_of(artifact.type, manifest.run_id)));
      REQUIRE(writer.commit());
    }
    REQUIRE(write_signed_manifest(directory, manifest, key));
  }
  /// Copies the files of that day into the directory of `to`.
  void copy(int day, Server& to) const {
    for (const auto& entry : fs::directory_iterator(directory.path())) {
      const std::string name = entry.path().filename().string();
      if (name.find(run_id_of_day(day)) != std::string::npos) {
        fs::copy_file(entry.path(), to.directory.path() + "/" + name);
      }
    }
  }
  void take_away(int day) const {
    std::vector<fs::path> gone;
    for (const auto& entry : fs::directory_iterator(directory.path())) {
      if (entry.path().filename().string().find(run_id_of_day(day)) != std::string::npos) {
        gone.push_back(entry.path());
      }
    }
    for (const fs::path& path : gone) {
      fs::remove(path);
    }
  }
  [[nodiscard]] PeerKey as_peer() const { return {key.public_key(), node, "named-by"}; }

  test::TemporaryDirectory temporary;
  std::string node;
  Directory directory;
  sign::SigningKey key = sign::SigningKey::generate().value();
};

std::string verdicts(Server& server,
                     const std::vector<sign::PublicKey>& trusted,
                     const std::vector<PeerKey>& peers) {
  std::string words;
  for (const auto& [run_id, set] :
       judge_catalogue(list_sets(server.directory).value(), trusted, KeyOrigin::outside, peers)) {
    words += (words.empty() ? "" : ", ") + std::string(to_string(set.verdict)) +
             (set.peer.empty() ? "" : " of " + set.peer);
  }
  return words;
}

std::string verdicts(Server& server, const Server& peer) {
  return verdicts(server, {server.key.public_key()}, {peer.as_peer()});
}

} // namespace

TEST_CASE("catalogue of servers: sets of two of them together are good, in any order of days") {
  Server one("server-1");
  Server two("server-2");
  one.add(1);
  one.add(3);
  two.add(2);
  two.add(4);
  two.copy(2, one);
  two.copy(4, one);
  CHECK(verdicts(one, two) == "good, good of server-2, good, good of server-2");
  CHECK(verdicts(one, {one.key.public_key()}, {}) == "good, other key, good, other key");
  CHECK(verdicts(one, {one.key.public_key(), two.key.public_key()}, {}) ==
        "good, good, good, good");
}

TEST_CASE("catalogue of servers: a run that both made is no swap when one has the other's set") {
  Server one("server-1");
  Server two("server-2");
  for (const int day : {1, 2, 3}) {
    one.add(day);
    two.add(day);
  }
  one.take_away(2);
  two.copy(2, one);
  // The set of the other one is good; that the own one is gone shows.
  CHECK(verdicts(one, two) == "good, good of server-2, gap before");
}

TEST_CASE("catalogue of servers: what one took away is missed, whatever the other made later") {
  Server one("server-1");
  Server two("server-2");
  one.add(1);
  one.add(2);
  one.add(3);
  two.add(4);
  two.copy(4, one);
  one.take_away(2);
  CHECK(verdicts(one, two) == "good, gap before, good of server-2");
}

TEST_CASE("catalogue of servers: a peer that bears the name of this host's node hides no gap") {
  Server one("server-1");
  Server two("server-1");
  one.add(1);
  one.add(2);
  one.add(3);
  two.add(4); // names 2 no more, as if retention had taken it
  two.copy(4, one);
  one.take_away(2);
  CHECK(verdicts(one, two) == "good, gap before, good of server-1");
}

TEST_CASE("catalogue of servers: an unsigned set among them is planted") {
  Server one("server-1");
  Server two("server-2");
  two.add(1);
  two.copy(1, one);
  REQUIRE(test::store_set(one.directory, test::make_manifest(run_id_of_day(2))));
  CHECK(verdicts(one, two) == "good of server-2, planted");
}

TEST_CASE("catalogue of servers: a changed manifest of a peer is tampered, not of another key") {
  Server one("server-1");
  Server two("server-2");
  one.add(1);
  two.add(2);
  two.copy(2, one);
  const std::string path = one.directory.path() + "/" + manifest_name(run_id_of_day(2));
  Manifest manifest = parse_manifest(test::read_file(path)).value();
  manifest.node_name = "server-1";
  test::write_file(path, serialize(manifest));
  CHECK(verdicts(one, two) == "good, tampered");
}

TEST_CASE("catalogue of servers: a host that got a new key is one host, by the name of its node") {
  Server one("server-1");
  one.add(1);
  one.add(2);
  one.add(3);
  const sign::PublicKey before = one.key.public_key();
  one.key = sign::SigningKey::generate().value();
  one.add(4);
  one.add(5); // names 2 no more: retention may have taken it
  one.take_away(2);
  CHECK(verdicts(one, {before, one.key.public_key()}, {}) == "good, good, good, good");
}

TEST_CASE("catalogue of servers: the keys that the newest own set names are those of the peers") {
  Server one("server-1");
  Server two("server-2");
  const auto named = [&](const Server& server) {
    return api::ServerEntry{server.node, "", server.key.public_key().line()};
  };
  one.add(1, {named(one), named(two), {"server-3", "", ""}, {"server-4", "", "RW-no-key"}});
  const std::vector<sign::PublicKey> trusted{one.key.public_key()};
  CHECK(peers_named(list_sets(one.directory).value(), trusted) ==
        std::vector<PeerKey>{{two.key.public_key(), "server-2", run_id_of_day(1)}});
  CHECK(peers_named(list_sets(one.directory).value(), {}).empty());
  one.add(2, {named(one)});
  CHECK(peers_named(list_sets(one.directory).value(), trusted).empty());
  // What a peer says of peers counts for nothing.
  two.add(3, {named(two)});
  two.copy(3, one);
  CHECK(peers_named(list_sets(one.directory).value(), trusted).empty());
}
