// Files that were cut off, flipped, put together wrongly, swapped and taken from elsewhere: each is
// noticed by whoever reads it, and nothing of it appears under a final name.
#include "fault/process/tally.hpp"
#include "fault/restore/age_stream.hpp"
#include "support/backup_fixture.hpp"
#include "support/sets.hpp"

#include "age/file.hpp"

#include <doctest/doctest.h>

#include <filesystem>

using namespace rb;
using namespace rb::test;
using api::ArtifactType;

namespace {

const std::string k_run = run_id_of_day(2);
const std::string k_older = run_id_of_day(1);
constexpr std::size_t k_chunk = 65536;

bool opens(const BackupFixture& fixture, const std::string& file) {
  return age::decrypt_bytes(as_bytes(file), std::span(&fixture.identity(), 1)).has_value();
}

/// The file in place of an artifact: `verify` with and without key, `restore --artifact` where it
/// can be and, unless the file is `sound` in itself, `decrypt` must all refuse it and leave
/// nothing.
Findings
offer(BackupFixture& fixture, ArtifactType type, const std::string& bad, bool sound = false) {
  Findings findings;
  const std::string path = fixture.artifact(type, k_run);
  const std::string good = read_file(path);
  write_file(path, bad);
  if (fixture.run({"verify"}).code != 6) {
    findings.push_back("verify without a key takes it");
  }
  const int with_key = fixture.run({"verify", "-i", fixture.keys()}).code;
  if (with_key != 6 && with_key != 5) {
    findings.push_back("verify with the key takes it");
  }
  const std::string out = fixture.file("out");
  if (!sound && fixture.run({"decrypt", path, "-i", fixture.keys(), "-o", out}).code == 0) {
    findings.push_back("decrypt takes it");
  }
  if (type != ArtifactType::datastore &&
      fixture.run({"restore",
                   k_run,
                   "--artifact",
                   std::string(type == ArtifactType::kubeconfig    ? "kubeconfig"
                               : type == ArtifactType::helm_values ? "helm-values"
                                                                   : "host-state"),
                   "--to",
                   fixture.file("tree"),
                   "-i",
                   fixture.keys()})
              .code == 0) {
    findings.push_back("restore --artifact takes it");
  }
  for (const char* const left : {"out", "tree"}) {
    if (std::filesystem::exists(fixture.file(left))) {
      findings.push_back("something of it was written");
      std::filesystem::remove_all(fixture.file(left));
    }
  }
  write_file(path, good);
  return findings;
}

std::string flipped(std::string file, std::size_t bit) {
  file[bit / 8] = static_cast<char>(static_cast<unsigned char>(file[bit / 8]) ^ (1U << bit % 8));
  return file;
}

/// Lengths at which a cut is likeliest to be overlooked.
std::vector<std::size_t> edges(const std::string& file) {
  const AgeStream stream = AgeStream::of(file);
  const std::size_t payload = stream.header.size() + stream.nonce.size();
  std::vector<std::size_t> lengths;
  for (std::size_t i = 0; i <= payload + 64 && i < file.size(); ++i) {
    lengths.push_back(i);
  }
  for (std::size_t chunk = 1; chunk < stream.chunks.size(); ++chunk) {
    for (const std::size_t beside : {0U, 1U, 15U, 16U, 17U}) {
      lengths.push_back(payload + chunk * (k_chunk + 16) - beside);
      lengths.push_back(payload + chunk * (k_chunk + 16) + beside);
    }
  }
  for (std::size_t i = 1; i <= 64 && i < file.size(); ++i) {
    lengths.push_back(file.size() - i);
  }
  return lengths;
}

} // namespace

TEST_CASE_FIXTURE(BackupFixture, "a file that was cut off or goes on is refused everywhere") {
  add_set(k_run);
  Tally tally("truncated and longer artifacts");
  for (const ArtifactType type : api::k_all_artifacts) {
    const std::string good = read_file(artifact(type, k_run));
    const auto lengths = edges(good);
    for (const std::size_t number : numbers(lengths.size(), 20)) {
      const std::size_t length = lengths[number];
      tally.tried("cut to " + std::to_string(length), offer(*this, type, good.substr(0, length)));
    }
    for (const std::size_t number : numbers(17, 3)) {
      tally.tried("longer by " + std::to_string(number + 1),
                  offer(*this, type, good + std::string(number + 1, '\0')));
    }
  }
  CHECK(run({"verify", "-i", keys()}).code == 0);
  CHECK(tally.report());
}

TEST_CASE_FIXTURE(BackupFixture, "every flipped bit of an age file is noticed") {
  Tally tally("flipped bits of an age file");
  const std::string small = encrypt(std::string(300, 'x'));
  for (const std::size_t bit : numbers(small.size() * 8, 1500)) {
    tally.tried("bit " + std::to_string(bit) + " of a small file",
                opens(*this, flipped(small, bit)) ? Findings{"it opens"} : Findings{});
  }
  const std::string large = encrypt(std::string(1U << 20U, 'y'));
  for (std::size_t i = 0; i < (long_campaign() ? 10000U : 200U); ++i) {
    const std::size_t bit = drawn(large.size() * 8);
    tally.tried("bit " + std::to_string(bit) + " of 1 MiB",
                opens(*this, flipped(large, bit)) ? Findings{"it opens"} : Findings{});
  }
  REQUIRE(opens(*this, small));
  REQUIRE(opens(*this, large));
  CHECK(tally.report());
}

TEST_CASE_FIXTURE(BackupFixture, "flipped bits of artifacts are noticed by every command") {
  add_set(k_run);
  Tally tally("flipped bits of artifacts, by command");
  for (const ArtifactType type : api::k_all_artifacts) {
    const std::string good = read_file(artifact(type, k_run));
    for (int i = 0; i < (long_campaign() ? 200 : 12); ++i) {
      const std::size_t bit = drawn(good.size() * 8);
      tally.tried("bit " + std::to_string(bit), offer(*this, type, flipped(good, bit)));
    }
  }
  CHECK(tally.report());
}

TEST_CASE_FIXTURE(BackupFixture,
                  "every flipped bit of a manifest and of its signature is noticed") {
  add_set(k_run);
  const auto verifies = [&] { return run({"verify", "latest"}).code == 0; };
  Tally tally("flipped bits of a manifest and its signature");
  for (const char* const suffix : {"", ".minisig"}) {
    const std::string path = manifest_file(k_run) + suffix;
    const std::string good = read_file(path);
    for (const std::size_t bit : numbers(good.size() * 8, 400)) {
      write_file(path, flipped(good, bit));
      if (!verifies()) {
        tally.count("refused");
        tally.tried("bit " + std::to_string(bit) + suffix, {});
        continue;
      }
      // minisign's format has a line that nothing covers, by its specification.
      const bool untrusted = *suffix != '\0' && bit / 8 < good.find('\n');
      tally.count("in the untrusted comment");
      tally.tried("bit " + std::to_string(bit) + suffix,
                  untrusted ? Findings{} : Findings{"verify says that all is well"});
    }
    write_file(path, good);
  }
  CHECK(verifies());
  CHECK(tally.report());
}

TEST_CASE_FIXTURE(BackupFixture, "chunks that were swapped, repeated, dropped or spliced") {
  const auto text = [](char first) {
    std::string all;
    for (int i = 0; i < 5; ++i) {
      all += std::string(i == 4 ? 1000 : k_chunk, static_cast<char>(first + i));
    }
    return all;
  };
  const AgeStream good = AgeStream::of(encrypt(text('a')));
  const AgeStream other = AgeStream::of(encrypt(text('k')));
  const AgeStream whole = AgeStream::of(encrypt(std::string(2 * k_chunk, 'z')));
  REQUIRE(good.chunks.size() == 5);
  REQUIRE(opens(*this, good.file()));
  REQUIRE(opens(*this, whole.file()));
  Tally tally("structure of age streams");
  const auto expect_refused = [&](const std::string& what, const AgeStream& bad) {
    Findings findings;
    if (opens(*this, bad.file())) {
      findings.push_back("it opens");
    }
    tally.tried(what, findings);
  };
  for (std::size_t i = 0; i < 5; ++i) {
    const std::string at = " " + std::to_string(i);
    for (std::size_t j = i + 1; j < 5; ++j) {
      AgeStream bad = good;
      std::swap(bad.chunks[i], bad.chunks[j]);
      expect_refused("swap" + at + " and " + std::to_string(j), bad);
    }
    AgeStream dropped = good;
    dropped.chunks.erase(dropped.chunks.begin() + static_cast<std::ptrdiff_t>(i));
    expect_refused("drop" + at, dropped);
    AgeStream repeated = good;
    repeated.chunks.insert(repeated.chunks.begin() + static_cast<std::ptrdiff_t>(i),
                           good.chunks[i]);
    expect_refused("repeat" + at, repeated);
    AgeStream foreign = good;
    foreign.chunks[i] = other.chunks[i];
    expect_refused("chunk of another file" + at, foreign);
    AgeStream last = good;
    last.chunks.resize(i);
    expect_refused("end before" + at, last);
    last.chunks.push_back(good.chunks.back());
    if (i != 4) {
      expect_refused("final chunk as number" + at, last);
    }
    AgeStream tag = good;
    tag.chunks[i].resize(16);
    expect_refused("empty chunk" + at, tag);
  }
  AgeStream spliced = other;
  spliced.header = good.header;
  expect_refused("header of another file", spliced);
  spliced.nonce = good.nonce;
  expect_refused("header and nonce of another file", spliced);
  spliced = good;
  spliced.nonce = other.nonce;
  expect_refused("nonce of another file", spliced);
  spliced = whole;
  spliced.chunks.emplace_back(whole.chunks.back().substr(0, 16));
  expect_refused("an empty chunk after a full final one", spliced);
  spliced = whole;
  spliced.chunks.pop_back();
  expect_refused("cut at a chunk", spliced);
  spliced = good;
  spliced.chunks.insert(spliced.chunks.end(), good.chunks.begin(), good.chunks.end());
  expect_refused("the payload twice", spliced);
  const std::string doubled = good.file() + good.file();
  tally.tried("the file twice", opens(*this, doubled) ? Findings{"it opens"} : Findings{});
  CHECK(tally.report());
}

TEST_CASE_FIXTURE(BackupFixture, "files and manifests of another set, and a manifest taken back") {
  add_set(k_older);
  add_set(k_run);
  Tally tally("swapped files and manifests");
  for (const ArtifactType type : api::k_all_artifacts) {
    tally.tried("the older " + std::string(api::to_string(type)),
                offer(*this, type, read_file(artifact(type, k_older)), true));
    for (const ArtifactType another : api::k_all_artifacts) {
      if (another != type) {
        tally.tried(std::string(api::to_string(another)) + " as " +
                        std::string(api::to_string(type)),
                    offer(*this, type, read_file(artifact(another, k_run)), true));
      }
    }
  }
  const std::string path = backups() + "/manifest-" + k_run + ".json";
  const std::string good = read_file(path);
  const std::string older = read_file(backups() + "/manifest-" + k_older + ".json");
  write_file(path, older);
  tally.tried("the manifest of the older set",
              run({"verify", k_run}).code == 0 ? Findings{"verify takes it"} : Findings{});
  for (const std::size_t length : numbers(good.size(), 100)) {
    write_file(path, good.substr(0, length));
    // Without its last newline it is still whole.
    const bool taken = length + 1 < good.size() && run({"verify", k_run}).code == 0;
    tally.tried("manifest cut to " + std::to_string(length),
                taken ? Findings{"verify takes it"} : Findings{});
  }
  write_file(path, good);
  CHECK(run({"verify", k_run}).code == 0);
  CHECK(tally.report());
}
