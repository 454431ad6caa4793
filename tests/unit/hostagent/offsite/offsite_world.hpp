// Backup sets on a disk, a remote, and a replicator between them.
#pragma once

#include "fake_remote.hpp"
#include "offsite/replicator.hpp"
#include "set/names.hpp"
#include "set/retention.hpp"
#include "set/signed_files.hpp"
#include "set/signed_write.hpp"

#include "base/digest.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

namespace rb::test {

/// As `railiance-restore rewrap` leaves the set of that day, with other bytes for other headers.
inline void exchange(Backups& backups, int day) {
  const auto sets = backups.sets();
  const auto set = std::ranges::find(sets, run_id_of_day(day), &set::BackupSet::run_id);
  set::Manifest next = *set->manifest;
  next.rewrap = set::RewrapRecord{
      set->generation + 1, next.start_time, {set->manifest_digests->sha256}, false};
  for (api::ArtifactStatus& artifact : next.artifacts) {
    const std::string content = "wrapped anew: " + artifact.file_name;
    artifact.file_name = set::artifact_name(artifact.type, next.run_id, next.generation());
    artifact.size_bytes = content.size();
    artifact.sha256 = to_hex(sha256(as_bytes(content)));
    write_file(backups.directory.path() + "/" + artifact.file_name, content);
  }
  REQUIRE(set::write_signed_manifest(backups.directory, next, backups.key));
  REQUIRE(set::remove_generation(backups.directory, {set->run_id, set->generation}));
}

struct OffsiteWorld {
  Backups backups;
  FakeRemote remote;
  SetClock clock;
  std::size_t changes = 0;
  const std::string state_dir = backups.temporary.file("state");
  const std::string key_file = backups.temporary.file("signing.pub");

  /// The agent has made its key, and put the public half where these pods see it.
  void know_key() { write_file(key_file, backups.key.public_key().file()); }
  void put_signed(const std::string& name, const std::string& text) {
    REQUIRE(set::write_signed_file(backups.directory, name, as_bytes(text), backups.key));
  }

  /// Another server has copied its set of that day's run into the same directory, whole and
  /// with other bytes than ours.
  void copy_from(const std::string& node, int day) {
    set::Manifest theirs = make_manifest(run_id_of_day(day));
    theirs.node_name = node;
    for (api::ArtifactStatus& artifact : theirs.artifacts) {
      const std::string content = node + ": " + artifact.file_name;
      artifact.size_bytes = content.size();
      artifact.sha256 = to_hex(sha256(as_bytes(content)));
      remote.files[artifact.file_name] = content;
    }
    remote.files[theirs.file_name()] = set::serialize(theirs);
  }

  offsite::View visit(unsigned keep_last = 0) {
    offsite::Replicator replicator(
        {backups.directory.path(), state_dir, key_file, keep_last, {}}, remote, clock);
    auto view = replicator.visit({}, [this](const offsite::View&) { ++changes; });
    REQUIRE(view);
    return *view;
  }
};

} // namespace rb::test
