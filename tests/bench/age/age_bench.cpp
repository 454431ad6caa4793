// One timed pass of lib/age over a file; prints one line of JSON. See run.py for the comparison.
//
//   rb_age_bench encrypt IN OUT --recipient age1… [--threads N]
//   rb_age_bench decrypt IN OUT --identity FILE [--threads N]
//   rb_age_bench step    IN OUT --recipient age1… [--threads N]
//
// `step` is the whole of what a backup does to a snapshot: SHA-256 of the plaintext with the check
// of its trailer in the same pass, encryption, SHA-256 of the ciphertext, fsync.
#include "datastore/etcd/snapshot.hpp"
#include "disk_sink.hpp"

#include "age/file.hpp"
#include "age/identity.hpp"
#include "age/io.hpp"
#include "base/digest.hpp"
#include "base/fd.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>

using namespace rb;

namespace {

struct Arguments {
  std::string mode;
  std::string in;
  std::string out;
  std::string recipient;
  std::string identity;
  unsigned threads = 0;
};

double cpu_seconds(const rusage& usage) {
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// VmHWM. Not ru_maxrss, which starts from the size of the process that started us (getrusage(2)
/// keeps the maximum over execve).
long peak_rss_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) {
      return std::strtol(line.c_str() + 6, nullptr, 10) * 1024;
    }
  }
  return 0;
}

Result<nlohmann::json> run(const Arguments& arguments) {
  RB_TRY_ASSIGN(const Fd in, open_file(arguments.in, O_RDONLY));
  ::posix_fadvise(in.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  RB_TRY_ASSIGN(const std::uint64_t size, file_size(in, arguments.in));
  RB_TRY_ASSIGN(bench::DiskSink sink, bench::DiskSink::create(arguments.out));
  age::FdSource source(in, arguments.in);
  age::StreamOptions options;
  options.threads = arguments.threads;

  etcd::TrailerCheck plaintext;
  Sha256 ciphertext;
  nlohmann::json report{{"mode", arguments.mode}, {"input_bytes", size}};
  if (arguments.mode == "decrypt") {
    RB_TRY_ASSIGN(const std::string text,
                  read_text_file(arguments.identity, age::k_identity_file_limit_bytes));
    RB_TRY_ASSIGN(const age::IdentityFile keys, age::parse_identity_file(text));
    RB_TRY(age::decrypt(source, sink, keys.identities, options));
    RB_TRY(sink.finish());
    return report;
  }
  if (arguments.mode == "step") {
    options.on_plaintext = [&](ByteView bytes) { plaintext.update(bytes); };
    options.on_ciphertext = [&](ByteView bytes) { ciphertext.update(bytes); };
  }
  RB_TRY_ASSIGN(const age::Recipient recipient, age::Recipient::parse(arguments.recipient));
  RB_TRY(age::encrypt(source, sink, std::vector{recipient}, options));
  RB_TRY(sink.finish());
  if (arguments.mode == "step") {
    RB_TRY_ASSIGN(const datastore::CopyDigests digests, plaintext.finish());
    report["plaintext_sha256"] = to_hex(digests.file);
    report["ciphertext_sha256"] = to_hex(ciphertext.digest());
  }
  return report;
}

} // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app{"one timed pass of lib/age"};
  app.add_option("mode", arguments.mode)
      ->required()
      ->check(CLI::IsMember({"encrypt", "decrypt", "step"}));
  app.add_option("in", arguments.in)->required();
  app.add_option("out", arguments.out)->required();
  app.add_option("--recipient", arguments.recipient);
  app.add_option("--identity", arguments.identity);
  app.add_option("--threads", arguments.threads);
  CLI11_PARSE(app, argc, argv);

  const auto begin = std::chrono::steady_clock::now();
  auto report = run(arguments);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  if (!report) {
    std::fprintf(stderr, "rb_age_bench: %s\n", report.error().message.c_str());
    return 1;
  }
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  (*report)["seconds"] = seconds.count();
  (*report)["cpu_seconds"] = cpu_seconds(usage);
  (*report)["max_rss_bytes"] = peak_rss_bytes();
  std::printf("%s\n", report->dump().c_str());
  return 0;
}
