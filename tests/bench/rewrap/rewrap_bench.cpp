// One timed rewrap of a set of a given size; prints one line of JSON. See run.py for the
// comparison.
//
//   rb_rewrap_bench make   DIR MIB    a signed set of one snapshot of random bytes, and its keys
//   rb_rewrap_bench rewrap DIR        gives it another recipient, and keeps the one that it has
#include "set/directory.hpp"
#include "set/rewrap.hpp"
#include "set/signed_write.hpp"
#include "sign/signing_key.hpp"

#include "age/file.hpp"
#include "base/fd.hpp"

#include <nlohmann/json.hpp>

#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>

using namespace rb;

namespace {

const std::string k_run_id = "20260101T000000Z";

/// As many bytes as are asked for, different ones each time.
class NoiseSource final : public age::Source {
public:
  explicit NoiseSource(std::uint64_t bytes) : m_left(bytes) {}
  Result<std::size_t> read(MutableByteView buffer) override {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), m_left));
    for (std::size_t i = 0; i < count; ++i) {
      buffer[i] = static_cast<std::uint8_t>(m_random());
    }
    m_left -= count;
    return count;
  }

private:
  std::uint64_t m_left;
  std::minstd_rand m_random;
};

class WriterSink final : public age::Sink {
public:
  explicit WriterSink(set::ArtifactWriter& writer) : m_writer(writer) {}
  Status write(ByteView bytes) override { return m_writer.write(bytes); }

private:
  set::ArtifactWriter& m_writer;
};

Status make(const std::string& path, std::uint64_t bytes) {
  RB_TRY_ASSIGN(set::Directory directory, set::Directory::open(path + "/backups"));
  RB_TRY_ASSIGN(set::Directory keys, set::Directory::open(path + "/keys"));
  RB_TRY_ASSIGN(const age::Identity identity, age::Identity::generate());
  RB_TRY_ASSIGN(const sign::SigningKey key, sign::SigningKey::generate());
  RB_TRY_ASSIGN(const SecretBytes pem, key.to_pem());
  RB_TRY(set::replace_file(keys, "signing.key", pem.view()));
  const SecretBytes text = identity.text();
  RB_TRY(set::replace_file(keys, "keys.txt", text.view()));
  set::Manifest manifest;
  manifest.run_id = k_run_id;
  manifest.complete = true;
  manifest.recipients = {identity.recipient().text()};
  manifest.requested = {api::ArtifactType::datastore};
  manifest.signed_by = sign::to_string(key.public_key().id());
  const std::string name = set::artifact_name(manifest.requested.front(), k_run_id);
  RB_TRY_ASSIGN(set::ArtifactWriter writer, set::ArtifactWriter::create(directory, name));
  NoiseSource source(bytes);
  WriterSink sink(writer);
  const age::Recipient recipient = identity.recipient();
  RB_TRY(age::encrypt(source, sink, std::span(&recipient, 1)));
  RB_TRY_ASSIGN(const set::StoredFile stored, writer.commit());
  manifest.artifacts.push_back(
      {manifest.requested.front(), stored.name, stored.size_bytes, to_hex(stored.sha256)});
  RB_TRY(set::write_signed_manifest(directory, manifest, key));
  return {};
}

Status rewrap(const std::string& path) {
  RB_TRY_ASSIGN(const std::string text,
                read_text_file(path + "/keys/keys.txt", age::k_identity_file_limit_bytes));
  RB_TRY_ASSIGN(const age::IdentityFile keys, age::parse_identity_file(text));
  RB_TRY_ASSIGN(const sign::SigningKey key, sign::read_key_file(path + "/keys/signing.key"));
  RB_TRY_ASSIGN(const age::Identity more, age::Identity::generate());
  RB_TRY_ASSIGN(set::Directory directory, set::Directory::open_existing(path + "/backups"));
  RB_TRY_ASSIGN(const auto sets, set::list_sets(directory));
  const set::RewrapOrder order{{keys.identities.front().recipient(), more.recipient()}, {}, false};
  RB_TRY_ASSIGN(const set::Rewrapped done,
                set::rewrap_set(directory, sets.front(), keys.identities, order, key, {}));
  return done.unfinished ? Status(*done.unfinished) : Status();
}

/// VmHWM, as of rb_age_bench.
long peak_rss_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) {
      return std::strtol(line.c_str() + 6, nullptr, 10) * 1024;
    }
  }
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  if ((mode != "make" || argc != 4) && (mode != "rewrap" || argc != 3)) {
    std::fprintf(stderr, "usage: rb_rewrap_bench make DIR MIB | rewrap DIR\n");
    return 2;
  }
  const auto begin = std::chrono::steady_clock::now();
  const Status done =
      mode == "make" ? make(argv[2], std::strtoull(argv[3], nullptr, 10) << 20U) : rewrap(argv[2]);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  if (!done) {
    std::fprintf(stderr, "rb_rewrap_bench: %s\n", done.error().message.c_str());
    return 1;
  }
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto cpu = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  const nlohmann::json report{{"seconds", seconds.count()},
                              {"cpu_seconds", cpu(usage.ru_utime) + cpu(usage.ru_stime)},
                              {"max_rss_bytes", peak_rss_bytes()}};
  std::printf("%s\n", report.dump().c_str());
  return 0;
}
