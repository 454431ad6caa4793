// The way of a database into a set: online copy, encryption with the digests, check, and the copy
// goes. Arguments: DATABASE COPY ENCRYPTED RECIPIENT. Prints JSON: milliseconds of each part, peak
// memory.
#include "datastore/datastore.hpp"
#include "datastore/sqlite/online_copy.hpp"

#include "age/file.hpp"
#include "age/identity.hpp"
#include "age/io.hpp"
#include "base/fd.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

namespace {

using namespace rb;

class Watch {
public:
  [[nodiscard]] long long milliseconds() {
    const auto now = std::chrono::steady_clock::now();
    const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(now - m_begin);
    m_begin = now;
    return passed.count();
  }

private:
  std::chrono::steady_clock::time_point m_begin = std::chrono::steady_clock::now();
};

/// VmHWM, as of rb_age_bench.
long peak_rss_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) {
      return std::strtol(line.c_str() + 6, nullptr, 10);
    }
  }
  return 0;
}

Status encrypt(const std::string& copy, const std::string& to, const age::Recipient& recipient) {
  RB_TRY_ASSIGN(const Fd in, open_file(copy, O_RDONLY));
  RB_TRY_ASSIGN(const Fd out, open_file(to, O_WRONLY | O_CREAT | O_TRUNC, 0600));
  age::FdSource source(in, copy);
  age::FdSink sink(out, to);
  const auto check = datastore::of(api::DatastoreKind::sqlite).make_check();
  age::StreamOptions options;
  options.on_plaintext = [&check](ByteView bytes) { check->update(bytes); };
  RB_TRY(age::encrypt(source, sink, std::span(&recipient, 1), options));
  RB_TRY(check->finish());
  return ::fsync(out.get()) == 0 ? Status() : Status(Error{ErrorCode::io, to + ": fsync", {}});
}

Status inspect(const std::string& copy) {
  RB_TRY_ASSIGN(Fd fd, open_file(copy, O_RDONLY));
  RB_TRY_ASSIGN(const auto reader, FileReader::open(std::move(fd), copy));
  RB_TRY(datastore::of(api::DatastoreKind::sqlite).inspect(*reader, {true, {}}, {}));
  return {};
}

Status run(const std::string& database,
           const std::string& copy,
           const std::string& encrypted,
           const std::string& to) {
  RB_TRY_ASSIGN(const age::Recipient recipient, age::Recipient::parse(to));
  Watch watch;
  RB_TRY(sqlite::copy_online({database, copy}, {}));
  const long long copied = watch.milliseconds();
  if (const Status sealed = encrypt(copy, encrypted, recipient); !sealed) {
    ::unlink(copy.c_str());
    return sealed;
  }
  const long long sealed = watch.milliseconds();
  RB_TRY(inspect(copy));
  const long long checked = watch.milliseconds();
  ::unlink(copy.c_str());
  std::printf("{\"copy\": %lld, \"encrypt\": %lld, \"check\": %lld, \"peakKiB\": %ld}\n",
              copied,
              sealed,
              checked,
              peak_rss_kib());
  return {};
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    return 2;
  }
  const Status done = run(argv[1], argv[2], argv[3], argv[4]);
  if (!done) {
    std::fprintf(stderr, "%s\n", done.error().message.c_str());
  }
  return done ? 0 : 1;
}
