// A host that makes and removes sets at random, and crashes: its catalogue is good at every moment.
// Then one thing is done to it by somebody without the key: it shows, with two exceptions that are
// named (the newest sets, and all that is older than some set, can be taken away).
#include "set/catalogue.hpp"
#include "set/names.hpp"
#include "set/retention.hpp"
#include "set/signed_write.hpp"
#include "support/fault_disk.hpp"
#include "support/random.hpp"
#include "support/sets.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace rb;
using namespace rb::set;
using test::run_id_of_day;

namespace {

using Verdicts = std::map<std::string, SetProvenance>;

class Host {
public:
  explicit Host(std::mt19937& random) : m_random(random) {}

  /// One run; with `dies_at` the process ends at that call, and the power fails.
  void run(int day, std::optional<std::size_t> dies_at = {}) {
    if (dies_at) {
      m_disk.arrange(test::Fault::dies_before, *dies_at);
    }
    static_cast<void>(attempt(day));
    if (dies_at) {
      m_disk.power_cut(m_random);
      m_disk.arrange(test::Fault::none, 0);
    }
  }

  [[nodiscard]] Verdicts judge() {
    Directory directory = mount();
    return judge_catalogue(list_sets(directory).value(), std::span(&m_key.public_key(), 1));
  }
  [[nodiscard]] std::vector<BackupSet> sets() {
    Directory directory = mount();
    return list_sets(directory).value();
  }
  [[nodiscard]] Directory mount() { return Directory(m_disk.mount(), "/disk"); }

private:
  Status attempt(int day) {
    Directory directory = mount();
    RB_TRY(sweep_leftovers(directory));
    RB_TRY_ASSIGN(const auto before, list_sets(directory));
    Manifest manifest = test::make_manifest(run_id_of_day(day), m_random() % 4 != 0);
    manifest.artifacts.resize(1);
    manifest.requested = {manifest.artifacts.front().type};
    manifest.snapshot.reset();
    BackupSet own;
    own.run_id = manifest.run_id;
    own.time = parse_run_id(own.run_id).value();
    own.state = manifest.complete ? SetState::complete : SetState::incomplete;
    auto all = before;
    all.push_back(own);
    const RemovalPlan plan =
        manifest.complete
            ? select_for_removal(all, {3, own.run_id, own.run_id, m_restored}, own.time)
            : RemovalPlan();
    ChainEnd end = chain_end(before, plan.run_ids, m_key.public_key());
    manifest.signed_by = sign::to_string(m_key.public_key().id());
    manifest.previous = std::move(end.previous);
    manifest.catalogue = std::move(end.catalogue);
    for (const auto& artifact : manifest.artifacts) {
      RB_TRY_ASSIGN(auto writer, ArtifactWriter::create(directory, artifact.file_name));
      RB_TRY(writer.write(test::content_of(artifact.type, manifest.run_id)));
      RB_TRY(writer.commit());
    }
    RB_TRY(write_signed_manifest(directory, manifest, m_key));
    if (const Pruned pruned = prune(directory, plan); !pruned.left.empty()) {
      return pruned.left.front().why;
    }
    if (m_random() % 5 == 0) {
      m_restored = before.empty() ? std::string() : before[m_random() % before.size()].run_id;
    }
    return {};
  }

  std::mt19937& m_random;
  test::FaultDisk m_disk;
  sign::SigningKey m_key = sign::SigningKey::generate().value();
  std::string m_restored;
};

std::mt19937 seeded() {
  return std::mt19937(static_cast<std::mt19937::result_type>(test::Random::seeded().seed()));
}

bool all_good(const Verdicts& verdicts) {
  return std::ranges::all_of(verdicts, [](const auto& set) {
    return set.second.verdict == Provenance::genuine ||
           set.second.verdict == Provenance::no_manifest;
  });
}

bool shows(const Verdicts& verdicts) {
  return std::ranges::any_of(verdicts, [](const auto& set) {
    return is_tampering(set.second.verdict) || set.second.verdict == Provenance::removed_before;
  });
}

} // namespace

TEST_CASE("whatever retention and crashes do, the catalogue of a host stays good") {
  std::mt19937 random = seeded();
  std::size_t crashes = 0;
  for (int round = 0; round < 40; ++round) {
    Host host(random);
    for (int day = 1; day <= 15; ++day) {
      const bool dies = random() % 3 == 0;
      crashes += dies ? 1U : 0U;
      host.run(day, dies ? std::optional<std::size_t>(random() % 60) : std::nullopt);
      CAPTURE(round);
      CAPTURE(day);
      REQUIRE(all_good(host.judge()));
      for (const BackupSet& set : host.sets()) {
        // No manifest without its signature, at no moment.
        REQUIRE((set.manifest_digests.has_value() ? set.signature.has_value() : true));
      }
    }
  }
  MESSAGE(crashes, " crashes");
}

TEST_CASE("what somebody without the key takes away or puts in shows") {
  std::mt19937 random = seeded();
  std::size_t tried = 0;
  for (int round = 0; round < 60; ++round) {
    Host host(random);
    for (int day = 1; day <= 10; ++day) {
      host.run(day);
    }
    const auto sets = host.sets(); // newest first
    if (sets.size() < 3) {
      continue;
    }
    Directory directory = host.mount();
    const std::size_t which = random() % sets.size();
    const std::string name = manifest_name(sets[which].run_id);
    CAPTURE(round);
    switch (random() % 3) {
    case 0: { // taken from the middle
      if (which == 0 || which + 1 == sets.size()) {
        continue;
      }
      for (const SetFile& file : sets[which].files) {
        REQUIRE(directory.fs().remove(file.name));
      }
      break;
    }
    case 1: // its signature
      REQUIRE(directory.fs().remove(signature_name(sets[which].run_id)));
      break;
    default: { // its manifest
      std::string text = read_manifest_text(directory, sets[which].run_id, 0).value();
      text[random() % text.size()] ^= 1;
      REQUIRE(replace_file(directory, name, as_bytes(text)));
    }
    }
    ++tried;
    REQUIRE(shows(host.judge()));
  }
  MESSAGE(tried, " attempts");
  CHECK(tried > 20);
}
